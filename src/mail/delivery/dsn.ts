import { printable } from '../../core/text.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { mailDate } from '../trace.ts'
import type { Failure } from './transport.ts'

export interface FailedRecipient {
  readonly address: string
  readonly failure: Failure
}

export interface DsnFacts {
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

/** A delivery status notification (RFC 3464) with the headers of the failed message, and nothing of its body. */
export const failureNotice = (facts: DsnFacts): Buffer => {
  const { hostname, failed, id } = facts
  const boundary = `=_${id}`
  const date = mailDate(facts.at, facts.offsetSeconds)
  const block = readHeaderBlock(facts.original, 0, facts.original.length, { headers: 1000, headerBytes: HEADER_BYTES })
  const headers = facts.original.subarray(0, Math.min(block.end, HEADER_BYTES))
  const head = [
    `From: Mail Delivery System <MAILER-DAEMON@${hostname}>`,
    `To: <${facts.to}>`,
    'Subject: Delivery Status Notification (Failure)',
    `Date: ${date}`,
    `Message-ID: <${id}@${hostname}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'The following message could not be delivered:',
    '',
    ...failed.flatMap(({ address, failure }) => [
      `<${printable(address)}>`,
      `    ${failure.status} ${line(failure.response)}`,
    ]),
    '',
    `--${boundary}`,
    'Content-Type: message/delivery-status',
    '',
    `Reporting-MTA: dns; ${hostname}`,
    `Arrival-Date: ${mailDate(facts.receivedAt, facts.offsetSeconds)}`,
    ...failed.flatMap(({ address, failure }) => [
      '',
      `Final-Recipient: ${addressType(printable(address))}`,
      'Action: failed',
      `Status: ${failure.status}`,
      ...(failure.code === '000' ? [] : [`Diagnostic-Code: smtp; ${line(failure.response)}`]),
      `Last-Attempt-Date: ${date}`,
    ]),
    '',
    `--${boundary}`,
    'Content-Type: text/rfc822-headers',
    '',
    '',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), headers, Buffer.from(`\r\n--${boundary}--\r\n`)])
}
