import type { IncomingRelay } from '../config/sections/incoming-relays.ts'
import { receiving } from '../config/sections/receiving.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import { longerLine, peekHeaders } from '../mail/smtp/header-peek.ts'
import type { MailFlow } from '../mail/smtp/host-access.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import type { RecipientOptions, SenderOptions } from '../mail/smtp/mail-parameters.ts'
import type { SmtpAnswer } from '../mail/smtp/session-types.ts'
import type { Direction, Recipient } from '../store/spool.ts'
import type { ReverseName } from './reverse-dns.ts'
import { rejection } from './smtp-admission.ts'
import type { Envelope, SmtpClientInfo, SmtpConnectionDeps } from './smtp-connection-deps.ts'
import { incomingRelay, originOfMessage } from './smtp-origin.ts'
import { judgeRecipient, tellHarvest } from './smtp-recipient.ts'
import type { RecipientVerdict } from './smtp-recipient.ts'
import { refusedSender } from './smtp-sender.ts'
import { spoolEntry, storeRefusal } from './smtp-spool-entry.ts'

interface Incoming {
  readonly options: SenderOptions
  readonly mid: number
  readonly sender: string
  readonly recipients: Recipient[]
  readonly messageGuid: string
}

/** What the conversation knows that a message is stored with. */
export interface Conversation {
  readonly helo: string
  readonly protocol: string
}

const guid = (env: Env): string => Buffer.from(env.entropy.bytes(16)).toString('base64')

/** The messages of one connection, one after the other: from MAIL FROM to the answer after the final dot. */
export class SmtpTransaction {
  readonly #deps: SmtpConnectionDeps
  readonly #client: SmtpClientInfo
  readonly #flow: MailFlow
  readonly #conversation: () => Conversation
  readonly #signal: AbortSignal
  readonly #guid: string
  /** The host that hands its mail on to us for others; null = the client speaks for itself. */
  readonly #relay: IncomingRelay | null
  /** Lets a refused client talk, to log its recipients. */
  readonly delayedReject: boolean
  /** Of the client; known before its first command is read. */
  name: ReverseName = { host: null, verified: false }
  #direction: Direction
  #mail: Incoming | null = null
  #storing = false
  /** Too many invalid recipients, told once. */
  #harvesting = false

  /** `signal` ends with the connection. */
  constructor(deps: SmtpConnectionDeps, client: SmtpClientInfo, conversation: () => Conversation, signal: AbortSignal) {
    this.#deps = deps
    this.#client = client
    this.#conversation = conversation
    this.#signal = signal
    this.#flow = client.admitted.decision.flow
    this.#guid = guid(deps.env)
    this.#direction = this.#flow.behaviour === 'RELAY' ? 'outgoing' : 'incoming'
    this.#relay = this.#direction === 'incoming' ? incomingRelay(deps, client.remoteAddress) : null
    this.delayedReject = this.#flow.behaviour === 'REJECT' && deps.config.get(receiving).rejectAtRecipient
  }

  /** The spool is taking the message in: its fate is the spool's, whatever the client does. */
  get storing(): boolean {
    return this.#storing
  }

  /** Whoever has a name here submits mail: to anybody. */
  authenticated(): void {
    if (this.#flow.behaviour === 'ACCEPT') this.#direction = 'outgoing'
  }

  /** null = none is left for now: whoever asks for thousands in one packet waits until the disk has more. */
  #newMid(): number | null {
    try {
      return this.#deps.ids.next('mid')
    } catch {
      return null
    }
  }

  async sender(sender: string, options: SenderOptions): Promise<SmtpAnswer> {
    const { ids, env, events, onEnvelope } = this.#deps
    const { icid, remoteAddress } = this.#client
    const refusal = await refusedSender(this.#deps, this.#flow, icid, sender, this.#signal)
    if (refusal !== null) return { accept: false, reply: refusal }
    const mid = this.#newMid() ?? (await ids.more('mid').then(() => this.#newMid()))
    if (mid === null) return { accept: false, reply: '451 4.3.0 no message id can be reserved, try again later' }
    this.#mail = { options, mid, sender, recipients: [], messageGuid: guid(env) }
    events.publish({ type: 'message.started', mid, icid })
    events.publish({ type: 'message.sender', mid, icid, sender })
    const envelope: Envelope = {
      mid,
      icid,
      sender,
      remoteAddress,
      helo: this.#conversation().helo,
      reverseHost: this.name.host,
      reverseVerified: this.name.verified,
      direction: this.#direction,
      sdr: this.#flow.sdr,
    }
    // Whose mail a relay hands on is known with the header only.
    if (this.#relay === null) await onEnvelope?.(envelope, this.#signal).catch(() => undefined)
    return { accept: true, reply: null }
  }

  recipient(given: string, options: RecipientOptions): SmtpAnswer | Promise<SmtpAnswer> {
    if (this.delayedReject)
      return this.#refuseRecipient(given, 'Receiving Control', rejection(this.#flow, this.#client))
    const { sender } = this.#mail as Incoming
    const { listener, remoteAddress } = this.#client
    const client = { listener, remoteAddress, sender, flow: this.#flow, relayed: this.#direction === 'outgoing' }
    const verdict = judgeRecipient(this.#deps, client, given)
    const judged = (v: RecipientVerdict): SmtpAnswer => this.#judged(given, options, v)
    return verdict instanceof Promise ? verdict.then(judged) : judged(verdict)
  }

  #judged(given: string, options: RecipientOptions, verdict: RecipientVerdict): SmtpAnswer {
    // The client left while its recipient was looked up.
    if (!this.#mail) return { accept: false, reply: null }
    if ('by' in verdict) {
      const answer = this.#refuseRecipient(given, verdict.by, verdict.reply)
      return verdict.harvest ? this.#harvest(this.#mail, answer) : answer
    }
    if ('later' in verdict) return { accept: false, reply: verdict.later }
    return this.#validated(this.#mail, { ...options, address: verdict.address }, verdict.reply)
  }

  #harvest(mail: Incoming, answer: SmtpAnswer): SmtpAnswer {
    if (!this.#harvesting) tellHarvest(this.#deps.events, this.#client, this.name.host, mail)
    this.#harvesting = true
    return { ...answer, close: this.#flow.harvestDrop }
  }

  #validated(mail: Incoming, recipient: Omit<Recipient, 'rid'>, reply: string | null): SmtpAnswer {
    const rid = mail.recipients.push({ ...recipient, rid: mail.recipients.length }) - 1
    const { icid } = this.#client
    this.#deps.events.publish({ type: 'message.recipient', mid: mail.mid, icid, rid, recipient: recipient.address })
    return { accept: true, reply }
  }

  #refuseRecipient(recipient: string, by: string, reply: string): SmtpAnswer {
    const { mid } = this.#mail as Incoming
    const { icid } = this.#client
    this.#deps.events.publish({ type: 'message.recipient-rejected', mid, icid, recipient, by })
    return { accept: false, reply }
  }

  async message(bytes: Buffer): Promise<SmtpAnswer> {
    const mail = this.#mail as Incoming
    const { maxHeaderFields, maxLineBytes } = this.#deps.config.get(receiving)
    const { hops, tooLong, messageId, subject } = peekHeaders(bytes, maxHeaderFields)
    if (hops > SMTP_LIMITS.hops)
      return this.#refuse('Message loop', '554 5.4.6 the message goes in circles: too many Received headers')
    if (tooLong) return this.#refuse('Header too long', '552 5.3.4 the header has too many fields or bytes')
    if (longerLine(bytes, maxLineBytes))
      return this.#refuse('Line too long', '552 5.6.0 a line of the message is too long')
    this.#storing = true
    // Until the disk has it, it is in memory as it was while it came in.
    this.#deps.budget.held += bytes.length
    try {
      await this.#accept(mail, bytes, messageId, subject)
    } catch (error) {
      this.#storing = false
      return this.#refuse(errorText(error), storeRefusal(error))
    } finally {
      this.#deps.budget.held -= bytes.length
    }
    this.#storing = false
    this.#mail = null
    this.#deps.onAccepted(mail.mid)
    return { accept: true, reply: `250 2.0.0 ok: Message ${mail.mid} accepted` }
  }

  #refuse(reason: string, reply: string): SmtpAnswer {
    this.refused(reason)
    return { accept: false, reply }
  }

  /** The message came to its end and is not taken. */
  refused(reason: string): void {
    this.#deps.events.publish({ type: 'connection.receiving-failed', icid: this.#client.icid, reason })
    this.abort('Receiving aborted')
  }

  abort(reason: string): void {
    const mail = this.#mail
    this.#mail = null
    if (!mail) return
    this.#deps.events.publish({ type: 'message.aborted', mid: mail.mid, reason })
    this.#deps.events.publish({ type: 'message.finished', mid: mail.mid })
  }

  async #accept(mail: Incoming, bytes: Buffer, messageId: string | null, subject: string): Promise<void> {
    const { env, spool, offsetSeconds, config } = this.#deps
    const own = { address: this.#client.remoteAddress, name: this.name }
    const origin = this.#relay === null ? own : await originOfMessage(this.#deps, this.#relay, own, mail.mid, bytes)
    const { helo, protocol } = this.#conversation()
    const message = {
      mid: mail.mid,
      options: mail.options,
      sender: mail.sender,
      recipients: mail.recipients,
      messageGuid: mail.messageGuid,
      helo,
      protocol,
      connectionGuid: this.#guid,
      direction: this.#direction,
      messageId,
      subject,
      bytes,
      origin,
      addMessageId: config.get(receiving).addMessageId,
    }
    await spool.accept(spoolEntry(env, offsetSeconds, this.#client, this.name, message))
  }
}
