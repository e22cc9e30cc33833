import { addressLists } from '../config/sections/address-lists.ts'
import type { Listener, RecipientEntry } from '../config/sections/listeners.ts'
import { receiving } from '../config/sections/receiving.ts'
import { recipientEntry, wholeRecipient } from '../mail/smtp/access.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { isRecipient } from '../mail/smtp/recipient-validation.ts'
import type { SmtpConnectionDeps } from './smtp-connection-deps.ts'

export type RecipientVerdict =
  | { readonly address: string; readonly reply: string | null }
  /** Refused, and by what, in the log's words. */
  | { readonly by: string; readonly reply: string }
  /** Cannot be told now. */
  | { readonly later: string }

interface Client {
  readonly listener: Listener
  readonly remoteAddress: string
  readonly flow: MailFlow
  /** May send to anybody. */
  readonly relayed: boolean
}

type Deps = Pick<SmtpConnectionDeps, 'config' | 'limit' | 'mailboxExists'>

const REJECTED = '550 5.1.0 Address rejected.'
const NO_MAILBOX = '550 5.1.1 there is no such mailbox here'
const LATER = '451 4.3.0 the recipient cannot be checked, try again later'

const customReply = (entry: RecipientEntry | undefined): string | null =>
  entry === undefined || entry.replyCode === null ? null : `${entry.replyCode} ${entry.replyText ?? ''}`.trimEnd()

const limitReply = ({ limitCode, limitText }: MailFlow): string => {
  const words = limitText === '' ? `${limitCode < 500 ? 4 : 5}.7.1 too many recipients received this hour` : limitText
  return `${limitCode} ${words}`
}

const withinLimit = (deps: Deps, { listener, remoteAddress, flow }: Client): boolean => {
  const { countersResetSeconds } = deps.config.get(receiving)
  return deps.limit.take(`${listener.name}|${remoteAddress}`, flow.maxRecipientsPerHour, countersResetSeconds)
}

/** What a listener says to a recipient: its table, then the limit of the policy, then whether there is such a mailbox. */
export const judgeRecipient = (
  deps: Deps,
  client: Client,
  given: string,
): RecipientVerdict | Promise<RecipientVerdict> => {
  const { listener, flow, relayed } = client
  const address = wholeRecipient(listener, given)
  const entry = address === null ? undefined : recipientEntry(listener, address)
  const custom = customReply(entry)
  if (address === null || (!relayed && entry?.access !== 'accept')) return { by: 'RAT', reply: custom ?? REJECTED }
  if (!(entry?.bypassLimits ?? false) && !withinLimit(deps, client))
    return { by: 'Receiving Control', reply: limitReply(flow) }
  const taken = { address, reply: entry?.access === 'accept' ? custom : null }
  const verdict = (valid: boolean): RecipientVerdict =>
    valid ? taken : { by: 'recipient validation', reply: NO_MAILBOX }
  if (relayed) return taken
  const exists = deps.mailboxExists ?? (() => Promise.resolve(false))
  const valid = isRecipient(listener, address, deps.config.get(addressLists), exists)
  return valid instanceof Promise ? valid.then(verdict, () => ({ later: LATER })) : verdict(valid)
}
