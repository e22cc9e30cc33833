import { asciiDomain } from '../../../core/domain-name.ts'
import { isAscii as asciiBytes } from 'node:buffer'
import { statusOf } from '../../delivery/status.ts'
import type { AttemptResult, Failure, OutgoingMessage, OutgoingRecipient } from '../../delivery/transport.ts'
import { isAscii, isMailbox } from '../address.ts'
import type { Extensions } from './extensions.ts'
import type { Reply } from './reply.ts'

const RESPONSE = 2000
const HEADER_END = '\r\n\r\n'

/** Refused here, before a word was said to the host. */
const refusal = (status: string, response: string): Failure => ({ permanent: true, code: '000', status, response })

/** Of a reply that is no success. One that does not belong here (2xx, 3xx) is a fault of the host that may pass. */
export const failureOf = (reply: Reply, atRecipient: boolean): Failure => {
  const { code, text } = reply
  return {
    permanent: code >= 500,
    code: String(code),
    status: code >= 400 ? statusOf(text, code, atRecipient) : '4.5.0',
    response: text.slice(0, RESPONSE),
  }
}

/** RFC 5321 §4.5.3.1.10: 552 at RCPT behind one that was taken means "too many", unless it speaks of the mailbox. */
const tooMany = ({ code, text }: Reply): boolean => code === 552 && !/^552[ -]5\.2\./.test(text)

/** The address with its domain in A-labels, for hosts without SMTPUTF8; null when the local part needs them. */
const downgraded = (address: string): string | null => {
  const at = address.lastIndexOf('@')
  const domain = asciiDomain(address.slice(at + 1))
  return isAscii(address.slice(0, at)) && domain !== null ? `${address.slice(0, at)}@${domain}` : null
}

/** The parts of a message's header that RFC 6531 §3.4 asks about. */
const utf8Header = ({ bytes, utf8 }: OutgoingMessage): boolean => {
  if (utf8 !== true) return false
  const end = bytes.indexOf(HEADER_END)
  return !asciiBytes(end < 0 ? bytes : bytes.subarray(0, end))
}

interface Sent {
  /** Its place in the message's list. */
  readonly index: number
  readonly recipient: OutgoingRecipient
  readonly path: string
}

/** What one message says to one host, and what the host said to it. */
export class Transaction {
  readonly message: OutgoingMessage
  readonly #extensions: Extensions
  readonly #results: (AttemptResult | null)[]
  readonly #sent: readonly Sent[]
  #utf8 = false
  #reverse = ''
  #heard = false
  #mailTaken = false
  #accepted = 0

  constructor(message: OutgoingMessage, extensions: Extensions) {
    this.message = message
    this.#extensions = extensions
    this.#results = message.recipients.map(() => null)
    this.#sent = this.#admit()
  }

  /** Nobody is left to whom the host could say something. */
  get over(): boolean {
    return this.#results.every((r) => r !== null)
  }

  get accepted(): boolean {
    return this.#accepted > 0
  }

  /** The host has answered something of it. */
  get heard(): boolean {
    return this.#heard
  }

  /** A transaction stands open at the host. */
  get open(): boolean {
    return this.#mailTaken
  }

  get recipients(): number {
    return this.#sent.length
  }

  /** Every recipient has one once `end` or `fail` was called. */
  get results(): readonly AttemptResult[] {
    return this.#results as readonly AttemptResult[]
  }

  mailCommand(): string {
    const { bytes, ret, envid } = this.message
    const { sized, eightBit, dsn } = this.#extensions
    return (
      `MAIL FROM:<${this.#reverse}>` +
      (sized && this.message.envelopeOnly !== true ? ` SIZE=${bytes.length}` : '') +
      (eightBit && !asciiBytes(bytes) ? ' BODY=8BITMIME' : '') +
      (this.#utf8 ? ' SMTPUTF8' : '') +
      (dsn && ret ? ` RET=${ret}` : '') +
      (dsn && envid ? ` ENVID=${envid}` : '')
    )
  }

  rcptCommand(n: number): string {
    const { recipient, path } = this.#sent[n] as Sent
    const { notify, orcpt } = recipient
    const { dsn } = this.#extensions
    const original = orcpt !== undefined && (isAscii(orcpt) || this.#utf8) ? orcpt : null
    return (
      `RCPT TO:<${path}>` +
      (dsn && notify ? ` NOTIFY=${notify.length === 0 ? 'NEVER' : notify.join(',')}` : '') +
      (dsn && original !== null ? ` ORCPT=${original}` : '')
    )
  }

  mail(reply: Reply): void {
    this.#heard = true
    this.#mailTaken = reply.code >= 200 && reply.code < 300
    if (this.#mailTaken) return
    const failure = failureOf(reply, false)
    // A refused sender says nothing of the recipients that are asked for.
    this.fail(this.message.envelopeOnly === true ? { ...failure, permanent: false } : failure)
  }

  rcpt(n: number, reply: Reply): void {
    const { index } = this.#sent[n] as Sent
    if (this.#results[index] !== null) return
    if (reply.code >= 200 && reply.code < 300) {
      this.#accepted++
      if (this.message.envelopeOnly === true)
        this.#results[index] = { ok: true, response: reply.text.slice(0, RESPONSE) }
      return
    }
    const failure = failureOf(reply, true)
    const later = this.#accepted > 0 && tooMany(reply)
    this.#results[index] = { ok: false, ...failure, ...(later ? { permanent: false, status: '4.5.3' } : {}) }
  }

  /** The answer to DATA, when it is no 354, or to the end of the message. */
  end(reply: Reply, atEnd: boolean): void {
    if (atEnd) this.#mailTaken = false
    const taken = atEnd && reply.code >= 200 && reply.code < 300
    const result: AttemptResult = taken
      ? { ok: true, response: reply.text.slice(0, RESPONSE) }
      : { ok: false, ...failureOf(reply, false) }
    this.#settle(result)
  }

  /** Everyone who has no answer yet shares this one. */
  fail(failure: Failure): void {
    this.#settle({ ok: false, ...failure })
  }

  #settle(result: AttemptResult): void {
    for (const [i, known] of this.#results.entries()) if (known === null) this.#results[i] = result
  }

  /** Refuses what this host cannot take; answers the recipients that it is told of. */
  #admit(): readonly Sent[] {
    const { message } = this
    const { size, utf8 } = this.#extensions
    if (size !== null && size > 0 && message.bytes.length > size) {
      this.fail(refusal('5.3.4', `the message has ${message.bytes.length} bytes, the host takes ${size}`))
      return []
    }
    if (!this.#admitSender(message.sender)) return []
    if (!utf8 && utf8Header(message)) {
      this.fail(refusal('5.6.9', 'the header of the message needs SMTPUTF8, which the host does not offer'))
      return []
    }
    this.#utf8 ||= utf8 && utf8Header(message)
    const sent = message.recipients.flatMap((recipient, index) => {
      const path = this.#path(recipient.address)
      if (typeof path === 'string') return [{ index, recipient, path }]
      this.#results[index] = { ok: false, ...path }
      return []
    })
    return sent
  }

  #admitSender(sender: string): boolean {
    const path = sender === '' ? '' : this.#path(sender)
    if (typeof path === 'string') this.#reverse = path
    else this.fail({ ...path, status: path.status === '5.1.3' ? '5.1.7' : path.status })
    return typeof path === 'string'
  }

  /** How an address stands in a command; nothing that could end the command ever does. */
  #path(address: string): string | Failure {
    if (!isMailbox(address) && address.toLowerCase() !== 'postmaster')
      return refusal('5.1.3', 'the address cannot be written in SMTP')
    if (isAscii(address)) return address
    if (this.#extensions.utf8) {
      this.#utf8 = true
      return address
    }
    return downgraded(address) ?? refusal('5.6.7', 'the address needs SMTPUTF8, which the host does not offer')
  }
}
