import { printable } from '../../core/text.ts'
import { headerValue } from './facts.ts'
import type { Facts } from './facts.ts'

const two = (n: number): string => String(n).padStart(2, '0')

/** Local time with the parts that the date variables are made of. */
const localParts = (facts: Facts): { readonly date: string; readonly time: string } => {
  const d = new Date(facts.now.getTime() + facts.offsetSeconds * 1000)
  return {
    date: `${two(d.getUTCMonth() + 1)}/${two(d.getUTCDate())}/${d.getUTCFullYear()}`,
    time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`,
  }
}

const MAX_VALUE = 32_768

const VARIABLES: ReadonlyMap<string, (facts: Facts, filterName: string) => string> = new Map(
  Object.entries<(facts: Facts, filterName: string) => string>({
    allheaders: (f) =>
      f
        .headers()
        .map((h) => `${h.name}: ${h.value}`)
        .join('\n'),
    bodysize: (f) => String(f.bytes),
    date: (f) => localParts(f).date,
    time: (f) => localParts(f).time,
    timestamp: (f) => `${localParts(f).date} ${localParts(f).time}`,
    gmtimestamp: (f) => f.now.toUTCString().replace('GMT', '+0000'),
    envelopefrom: (f) => f.entry.sender,
    envelopesender: (f) => f.entry.sender,
    enveloperecipients: (f) => f.entry.recipients.map((r) => r.address).join(', '),
    filename: (f) => f.parsed.attachments.at(-1)?.name ?? '',
    filenames: (f) => f.parsed.attachments.map((a) => a.name ?? '').join(', '),
    filesizes: (f) => f.parsed.attachments.map((a) => String(a.bytes)).join(', '),
    filetypes: (f) => f.parsed.attachments.map((a) => a.contentType).join(', '),
    filtername: (_f, filter) => filter,
    group: (f) => f.entry.senderGroup ?? '>Unknown<',
    hostname: (f) => f.hostname,
    mid: (f) => String(f.entry.mid),
    recvlistener: (f) => f.entry.listener,
    remoteip: (f) => f.entry.remoteAddress,
    remotehost: (f) => f.entry.reverseHost ?? 'unknown',
    subject: (f) => headerValue(f, 'subject') ?? '',
  }),
)

const REFERENCE = /\$(?:header\[(?:'([^'\]]*)'|"([^"\]]*)")\]|([a-z_]+))/gi

/**
 * `$Subject`, `$Header['X-Note']`, `$EnvelopeFrom` …: names in any case, with or without `_`; an unknown `$word` stays as
 * it is. One pass: what a value brings along is never expanded again. `url`: what `$URL` stands for, where it is one.
 */
export const expand = (text: string, facts: Facts, filterName: string, url?: string): string =>
  text.replace(REFERENCE, (all, single?: string, double?: string, word?: string) => {
    const header = single ?? double
    if (header !== undefined) return (headerValue(facts, header) ?? '').slice(0, MAX_VALUE)
    const name = (word ?? '').replaceAll('_', '').toLowerCase()
    if (name === 'url' && url !== undefined) return url
    const variable = VARIABLES.get(name)
    return variable ? variable(facts, filterName).slice(0, MAX_VALUE) : all
  })

/** For a log line. */
export const expandPrintable = (text: string, facts: Facts, filterName: string): string =>
  printable(expand(text, facts, filterName))
