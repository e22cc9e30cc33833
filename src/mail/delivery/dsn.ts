import { isAscii as asciiBytes } from 'node:buffer'
import { printable } from '../../core/text.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { fromXtext } from '../smtp/xtext.ts'
import { mailDate } from '../trace.ts'
import type { Failure } from './transport.ts'

export interface NoticeRecipient {
  readonly address: string
  /** ORCPT as the sender gave it. */
  readonly orcpt?: string
  /** For `relayed` and `delivered` a status and words of success. */
  readonly outcome: Omit<Failure, 'permanent'>
}

/**
 * `delayed`: a warning; the message is tried on until `retryUntil`. `relayed`: handed to a host that tells nobody of its
 * delivery. `delivered`: it lies in its mailbox.
 */
export type NoticeAction = 'failed' | 'delayed' | 'relayed' | 'delivered'

export interface NoticeFacts {
  readonly action: NoticeAction
  readonly retryUntil?: Date
  /** RFC 3464, else plain text with the headers below it. */
  readonly dsnFormat: boolean
  readonly hostname: string
  readonly to: string
  readonly at: Date
  readonly receivedAt: Date
  readonly offsetSeconds: number
  /** Unique here: Message-ID and MIME boundary are made of it. */
  readonly id: string
  readonly recipients: readonly NoticeRecipient[]
  /** The message that it speaks of. */
  readonly original: Buffer
  /** The whole message comes back with a failure (RET=FULL), not only its header. */
  readonly whole?: boolean
  /** ENVID as the sender gave it. */
  readonly envid?: string
}

const HEADER_BYTES = 65_536
/** A longer message comes back as its header, whatever was asked. */
const WHOLE_BYTES = 10_485_760
const isAscii = (text: string): boolean => /^[ -~]*$/.test(text)
/** One line of ASCII: a remote host's words must not become a header or a line of ours. */
const line = (text: string): string =>
  printable(text.replace(/\s*\n\s*/g, ' '))
    .replace(/[^ -~]/g, '?')
    .slice(0, 800)
/** `rfc822;address`, decoded. */
const originalRecipient = (orcpt: string): string => {
  const [, type = '', address = ''] = /^([^;]*);(.*)$/s.exec(orcpt) ?? []
  const text = printable(fromXtext(address))
  return isAscii(text) ? `${type};${text}` : `utf-8;${text}`
}
const addressType = (address: string): string => (isAscii(address) ? `rfc822;${address}` : `utf-8;${address}`)

const WORDS = {
  failed: {
    subject: 'Delivery Status Notification (Failure)',
    text: ['The following message could not be delivered:'],
  },
  delayed: {
    subject: 'Delivery Status Notification (Delay)',
    text: [
      'This is a warning only: you need not send your message again.',
      '',
      'The following message has not been delivered yet and is tried on:',
    ],
  },
  relayed: {
    subject: 'Delivery Status Notification (Relay)',
    text: [
      'The following message was handed on to a mail system that does not tell whether it arrives;',
      'you hear no more of it unless it fails:',
    ],
  },
  delivered: {
    subject: 'Delivery Status Notification (Success)',
    text: ['The following message was delivered:'],
  },
} as const

const human = ({ action, recipients, retryUntil, offsetSeconds }: NoticeFacts): readonly string[] => [
  ...WORDS[action].text,
  '',
  ...recipients.flatMap(({ address, outcome }) => [
    `<${printable(address)}>`,
    `    ${outcome.status} ${line(outcome.response)}`,
  ]),
  ...(retryUntil ? ['', `It is tried until ${mailDate(retryUntil, offsetSeconds)}.`] : []),
]

/** RFC 3464 §2: one block for the message, one for each recipient. */
const machine = (facts: NoticeFacts): readonly string[] => {
  const date = mailDate(facts.at, facts.offsetSeconds)
  return [
    ...(facts.envid === undefined ? [] : [`Original-Envelope-Id: ${line(fromXtext(facts.envid))}`]),
    `Reporting-MTA: dns; ${facts.hostname}`,
    `Arrival-Date: ${mailDate(facts.receivedAt, facts.offsetSeconds)}`,
    ...facts.recipients.flatMap(({ address, orcpt, outcome }) => [
      '',
      ...(orcpt === undefined ? [] : [`Original-Recipient: ${originalRecipient(orcpt)}`]),
      `Final-Recipient: ${addressType(printable(address))}`,
      `Action: ${facts.action}`,
      `Status: ${outcome.status}`,
      ...(outcome.remote === undefined ? [] : [`Remote-MTA: dns; ${line(outcome.remote)}`]),
      ...(outcome.code === '000' ? [] : [`Diagnostic-Code: smtp; ${line(outcome.response)}`]),
      `Last-Attempt-Date: ${date}`,
      ...(facts.retryUntil ? [`Will-Retry-Until: ${mailDate(facts.retryUntil, facts.offsetSeconds)}`] : []),
    ]),
  ]
}

/** RFC 6533 §4, §5: a header beyond ASCII comes back in the forms that may hold it. */
const returnedType = (whole: boolean, ascii: boolean): string => {
  if (whole) return ascii ? 'message/rfc822' : 'message/global'
  return ascii ? 'text/rfc822-headers' : 'message/global-headers'
}

/** A delivery status notification with the header of the message; its body comes back only when that was asked. */
export const deliveryNotice = (facts: NoticeFacts): Buffer => {
  const { hostname, id, original } = facts
  const boundary = `=_${id}`
  const block = readHeaderBlock(original, 0, original.length, { headers: 1000, headerBytes: HEADER_BYTES })
  const headers = original.subarray(0, block.end)
  const whole = facts.whole === true && facts.action === 'failed' && original.length <= WHOLE_BYTES
  const returned = whole ? original : headers
  const global = facts.recipients.some(
    ({ address, orcpt = '' }) => !isAscii(printable(address)) || !isAscii(printable(fromXtext(orcpt))),
  )
  const head = [
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${facts.to}>`,
    `Subject: ${WORDS[facts.action].subject}`,
    `Date: ${mailDate(facts.at, facts.offsetSeconds)}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
  ]
  if (!facts.dsnFormat) {
    const text = [...head, 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '']
    const own = [...text, ...human(facts), '', 'The headers of the message:', '', '']
    return Buffer.concat([Buffer.from(own.join('\r\n')), headers])
  }
  const report = [
    ...head,
    `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    ...human(facts),
    '',
    `--${boundary}`,
    // RFC 6533: an address beyond ASCII needs the forms that may hold it.
    `Content-Type: message/${global ? 'global-' : ''}delivery-status`,
    ...(global ? ['Content-Transfer-Encoding: 8bit'] : []),
    '',
    ...machine(facts),
    '',
    `--${boundary}`,
    `Content-Type: ${returnedType(whole, asciiBytes(headers))}`,
    ...(asciiBytes(returned) ? [] : ['Content-Transfer-Encoding: 8bit']),
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(report.join('\r\n')), returned, Buffer.from(`\r\n--${boundary}--\r\n`)])
}
