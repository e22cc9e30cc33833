import { isAscii as asciiBytes } from 'node:buffer'
import { printable } from '../../core/text.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { mailDate } from '../trace.ts'
import type { Failure } from './transport.ts'

export interface FailedRecipient {
  readonly address: string
  readonly failure: Failure
}

export interface NoticeFacts {
  /** `delayed`: a warning; the message is tried on until `retryUntil`. */
  readonly action: 'failed' | 'delayed'
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
  readonly failed: readonly FailedRecipient[]
  /** The message that failed. */
  readonly original: Buffer
}

const HEADER_BYTES = 65_536
const isAscii = (text: string): boolean => /^[ -~]*$/.test(text)
/** One line of ASCII: a remote host's words must not become a header or a line of ours. */
const line = (text: string): string =>
  printable(text.replace(/\s*\n\s*/g, ' '))
    .replace(/[^ -~]/g, '?')
    .slice(0, 800)
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
} as const

const human = ({ action, failed, retryUntil, offsetSeconds }: NoticeFacts): readonly string[] => [
  ...WORDS[action].text,
  '',
  ...failed.flatMap(({ address, failure }) => [
    `<${printable(address)}>`,
    `    ${failure.status} ${line(failure.response)}`,
  ]),
  ...(retryUntil ? ['', `It is tried until ${mailDate(retryUntil, offsetSeconds)}.`] : []),
]

/** RFC 3464 §2: one block for the message, one for each recipient. */
const machine = (facts: NoticeFacts): readonly string[] => {
  const date = mailDate(facts.at, facts.offsetSeconds)
  return [
    `Reporting-MTA: dns; ${facts.hostname}`,
    `Arrival-Date: ${mailDate(facts.receivedAt, facts.offsetSeconds)}`,
    ...facts.failed.flatMap(({ address, failure }) => [
      '',
      `Final-Recipient: ${addressType(printable(address))}`,
      `Action: ${facts.action}`,
      `Status: ${failure.status}`,
      ...(failure.remote === undefined ? [] : [`Remote-MTA: dns; ${line(failure.remote)}`]),
      ...(failure.code === '000' ? [] : [`Diagnostic-Code: smtp; ${line(failure.response)}`]),
      `Last-Attempt-Date: ${date}`,
      ...(facts.retryUntil ? [`Will-Retry-Until: ${mailDate(facts.retryUntil, facts.offsetSeconds)}`] : []),
    ]),
  ]
}

/** A delivery status notification with the headers of the message, and nothing of its body. */
export const deliveryNotice = (facts: NoticeFacts): Buffer => {
  const { hostname, id, original } = facts
  const boundary = `=_${id}`
  const block = readHeaderBlock(original, 0, original.length, { headers: 1000, headerBytes: HEADER_BYTES })
  const headers = original.subarray(0, Math.min(block.end, HEADER_BYTES))
  const global = facts.failed.some((f) => !isAscii(printable(f.address)))
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
    'Content-Type: text/rfc822-headers',
    ...(asciiBytes(headers) ? [] : ['Content-Transfer-Encoding: 8bit']),
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(report.join('\r\n')), headers, Buffer.from(`\r\n--${boundary}--\r\n`)])
}
