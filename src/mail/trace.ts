import { stamp } from '../core/timezone.ts'

/** What our Received header tells (RFC 5321 §4.4). */
export interface TraceFields {
  readonly helo: string
  readonly remoteAddress: string
  readonly reverseHost: string | null
  readonly hostname: string
  /** `ESMTPS`: RFC 3848. */
  readonly protocol: string
  readonly receivedId: string
  readonly at: Date
  readonly offsetSeconds: number
}

/** `Wed, 30 Mar 2022 00:20:10 +0000` (RFC 5322 §3.3). */
export const mailDate = (at: Date, offsetSeconds: number): string => {
  const second = Math.floor(at.getTime() / 1000)
  if (second !== last.second || offsetSeconds !== last.offsetSeconds)
    last = { second, offsetSeconds, text: dateText(at, offsetSeconds) }
  return last.text
}

/** Under load many messages share a second. */
let last = { second: NaN, offsetSeconds: 0, text: '' }

const dateText = (at: Date, offsetSeconds: number): string => {
  const [weekday, month] = stamp(at, offsetSeconds).split(/ +/)
  const local = new Date(at.getTime() + offsetSeconds * 1000)
  const minutes = Math.floor(Math.abs(offsetSeconds) / 60)
  const two = (n: number): string => String(n).padStart(2, '0')
  const zone = `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`
  return `${weekday}, ${local.getUTCDate()} ${month} ${local.getUTCFullYear()} ${local.toISOString().slice(11, 19)} ${zone}`
}

/** The client chose these texts: what could end a comment, a field or a line does not get into the header. */
const word = (text: string): string =>
  text.replace(/[^!#-'*-;=?A-Z[\]^-~\u00a1-\uffff]/g, '?').slice(0, 255) || 'unknown'

/** An id that no sender can guess, so that this header is evidence of our delivery. */
export const receivedId = (mid: number, random: Uint8Array): string => `${mid}.${Buffer.from(random).toString('hex')}`

/** The header that stands on top of a received message, with its line ends. */
export const receivedHeader = (t: TraceFields): string =>
  `Received: from ${word(t.helo)} (${word(t.reverseHost ?? 'unknown')} [${t.remoteAddress}])\r\n` +
  ` by ${t.hostname} (Lychgate) with ${t.protocol} id ${t.receivedId};\r\n` +
  ` ${mailDate(t.at, t.offsetSeconds)}\r\n`

/** The header of mail that was made here. */
export const generatedHeader = (t: Pick<TraceFields, 'hostname' | 'receivedId' | 'at' | 'offsetSeconds'>): string =>
  `Received: by ${t.hostname} (Lychgate) id ${t.receivedId};\r\n ${mailDate(t.at, t.offsetSeconds)}\r\n`

/** Only as a field of its own: what a client put into another header that we wrote is no trace of ours. */
const OURS = /(?:^|\r\n)Received: (?:from \S+ \(\S+ \[[^\]]*\]\)\r\n )?by (\S+) \(Lychgate\)(?: with \S+)? id (\S+);/

/** Host and id in the first Received header of ours among the headers that we added; empty when there is none. */
export const readTrace = (trace: string): { readonly host: string; readonly receivedId: string } => {
  const [, host = '', id = ''] = OURS.exec(trace) ?? []
  return { host, receivedId: id }
}
