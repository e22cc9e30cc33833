import { addressLists } from '../config/sections/address-lists.ts'
import { fitsAccess } from '../config/sections/listeners.ts'
import type { Listener, RecipientEntry } from '../config/sections/listeners.ts'
import { receiving } from '../config/sections/receiving.ts'
import { callAhead as callAheadSection } from '../config/sections/call-ahead.ts'
import { recipientEntry, wholeRecipient } from '../mail/smtp/access.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { addressKey } from '../core/plain-address.ts'
import { ownReply } from '../mail/smtp/replies.ts'
import { isRecipient } from '../mail/smtp/recipient-validation.ts'
import { bounceRecipient } from './bounce-verification.ts'
import type { SmtpClientInfo, SmtpConnectionDeps } from './smtp-connection-deps.ts'

export type RecipientVerdict =
  | { readonly address: string; readonly reply: string | null }
  /** Refused, and by what, in the log's words. */
  | { readonly by: string; readonly reply: string; readonly harvest?: true }
  /** Cannot be told now. */
  | { readonly later: string }

interface Client {
  readonly listener: Listener
  readonly remoteAddress: string
  /** '' = the null sender. */
  readonly sender: string
  readonly flow: MailFlow
  /** May send to anybody. */
  readonly relayed: boolean
}

type Deps = Pick<SmtpConnectionDeps, 'env' | 'config' | 'limit' | 'mailboxExists' | 'callAhead'>

const REJECTED = '550 5.1.0 Address rejected.'
const NO_BOUNCE = '550 5.7.1 no message of ours that could bounce: the address has no valid tag'
const NO_MAILBOX = '550 5.1.1 there is no such mailbox here'
const LATER = '451 4.3.0 the recipient cannot be checked, try again later'

/** In the table's own words, if their code says the same as its access: a 250 for a refusal would lose the client its mail. */
const customReply = (entry: RecipientEntry | undefined): string | null => {
  if (entry === undefined || entry.replyCode === null || !fitsAccess(entry.access, entry.replyCode)) return null
  const accepted = entry.access === 'accept'
  return ownReply(
    entry.replyCode,
    entry.replyText ?? '',
    accepted ? '1.5' : '1.0',
    accepted ? 'recipient ok' : 'Address rejected.',
  )
}

const limitReply = ({ limitCode, limitText }: MailFlow): string =>
  ownReply(limitCode, limitText, '7.1', 'too many recipients received this hour')

const harvestReply = ({ harvestCode, harvestText }: MailFlow): string =>
  ownReply(harvestCode, harvestText, '7.1', 'too many invalid recipients')

/** A recipient that is none: the reason, or the answer to those who try too many. */
const invalid = (
  deps: Deps,
  { listener, remoteAddress, flow }: Client,
  by: string,
  reply: string,
): RecipientVerdict => {
  if (flow.maxInvalidRecipients === 0) return { by, reply }
  const { countersResetSeconds } = deps.config.get(receiving)
  const key = `invalid|${listener.name}|${addressKey(remoteAddress)}`
  return deps.limit.take(key, flow.maxInvalidRecipients, countersResetSeconds)
    ? { by, reply }
    : { by: 'Receiving Control', reply: harvestReply(flow), harvest: true }
}

const withinLimit = (deps: Deps, { listener, remoteAddress, flow }: Client): boolean => {
  const { countersResetSeconds } = deps.config.get(receiving)
  return deps.limit.take(
    `${listener.name}|${addressKey(remoteAddress)}`,
    flow.maxRecipientsPerHour,
    countersResetSeconds,
  )
}

/** What the next hop says of it, as the profile wants it taken. */
const callAhead = async (
  deps: Deps,
  client: Client,
  taken: { readonly address: string; readonly reply: string | null },
): Promise<RecipientVerdict> => {
  const name = client.listener.callAheadProfile
  const profile = deps.config.get(callAheadSection).find((p) => p.name === name)
  const answer = await deps.callAhead?.validate(name, taken.address)
  switch (answer?.kind) {
    case 'valid':
      return taken
    case 'invalid':
      return invalid(deps, client, 'SMTP call-ahead', `${answer.code} ${answer.status} the recipient is unknown`)
    case 'temporary':
      if (profile?.temporaryFailure === 'accept') return taken
      return { later: `${answer.code} ${answer.status} the recipient cannot be taken now, try again later` }
    case 'failed':
    case undefined:
      return profile?.validationFailure === 'accept' ? taken : { later: LATER }
  }
}

/** What a listener says to a recipient: its table, whether a bounce is one, the limit of the policy, then whether there is such a mailbox. */
export const judgeRecipient = (
  deps: Deps,
  client: Client,
  given: string,
): RecipientVerdict | Promise<RecipientVerdict> => {
  const { listener, flow, relayed, sender } = client
  const whole = wholeRecipient(listener, given)
  const bounce = whole === null ? null : bounceRecipient(deps, whole)
  const address = bounce?.address ?? null
  const entry = address === null ? undefined : recipientEntry(listener, address)
  const custom = customReply(entry)
  if (address === null || (!relayed && entry?.access !== 'accept'))
    return invalid(deps, client, 'RAT', custom ?? REJECTED)
  if (sender === '' && !relayed && bounce?.believed === false) return { by: 'bounce verification', reply: NO_BOUNCE }
  if (!(entry?.bypassLimits ?? false) && !withinLimit(deps, client))
    return { by: 'Receiving Control', reply: limitReply(flow) }
  const taken = { address, reply: entry?.access === 'accept' ? custom : null }
  const verdict = (valid: boolean): RecipientVerdict =>
    valid ? taken : invalid(deps, client, 'recipient validation', NO_MAILBOX)
  if (relayed || (entry?.bypassValidation ?? false)) return taken
  if (listener.recipientValidation === 'callahead' && !/^postmaster@/i.test(address))
    return callAhead(deps, client, taken)
  const exists = deps.mailboxExists ?? (() => Promise.resolve(false))
  const valid = isRecipient(listener, address, deps.config.get(addressLists), exists)
  return valid instanceof Promise ? valid.then(verdict, () => ({ later: LATER })) : verdict(valid)
}

/** The line about a client that tries recipients out. */
export const tellHarvest = (
  events: SmtpConnectionDeps['events'],
  { icid, listener, remoteAddress, admitted }: SmtpClientInfo,
  reverseHost: string | null,
  mail: { readonly sender: string; readonly recipients: readonly unknown[] },
): void => {
  const { senderGroup, flow } = admitted.decision
  events.publish({
    type: 'connection.harvest',
    icid,
    listener: listener.name,
    interfaceAddress: listener.address,
    remoteAddress,
    reverseHost,
    senderGroup,
    sender: mail.sender,
    recipients: mail.recipients.length,
    dropped: flow.harvestDrop,
  })
}
