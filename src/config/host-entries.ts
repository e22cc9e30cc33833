import { isIP } from 'node:net'
import { countryCode } from './countries.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { isHostname } from '../core/schema.ts'

/** One entry of a sender group. `text` is its canonical form: what tables, exports and the log show. */
export type HostEntry = { readonly text: string } & (
  | { readonly kind: 'all' }
  /** Addresses as numbers, both ends included. */
  | { readonly kind: 'addresses'; readonly family: 4 | 6; readonly low: bigint; readonly high: bigint }
  | { readonly kind: 'host'; readonly name: string }
  /** `suffix` with its leading dot. */
  | { readonly kind: 'domain'; readonly suffix: string }
  | { readonly kind: 'reputation'; readonly low: number; readonly high: number }
  | { readonly kind: 'no-reputation' }
  | { readonly kind: 'dnslist'; readonly zone: string }
  /** ISO 3166-1 alpha-2. */
  | { readonly kind: 'country'; readonly code: string }
)

const HOW =
  'A host must be one of: 10.1.1.1, 10.1.1.0/24, 10.1.1.10-20, 2001:db8::1-2001:db8::ff, 10.1.1., crm.example.com, .example.com, sbrs[-10.0:-3.0], sbrs[none], dnslist[query.example.com], geo[DE], ALL.'

const octets = (text: string): readonly number[] | null => {
  const parts = text.split('.').map((p) => (/^\d{1,3}$/.test(p) ? Number(p) : 256))
  return parts.every((n) => n <= 255) ? parts : null
}
const numberOf4 = (parts: readonly number[]): bigint => parts.reduce((sum, n) => sum * 256n + BigInt(n), 0n)

const numberOf6 = (address: string): bigint => {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  const tail = dotted ? numberOf4(octets(dotted[2] ?? '') ?? []) : 0n
  const text = dotted ? `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}` : address
  const [head = '', rest] = text.split('::')
  const words = (part: string): readonly string[] => part.split(':').filter((w) => w !== '')
  const left = words(head)
  const right = rest === undefined ? [] : words(rest)
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right].reduce((sum, w) => sum * 65_536n + BigInt(`0x${w}`), 0n)
}

/** An address as a number; null when it is none. */
export const addressNumber = (address: string): { readonly family: 4 | 6; readonly value: bigint } | null => {
  const family = isIP(address)
  if (family === 4) return { family, value: numberOf4(octets(address) ?? []) }
  // A zone (`fe80::1%eth0`) is no part of the number.
  return family === 6 ? { family, value: numberOf6(address.replace(/%.*$/, '')) } : null
}

const block = (text: string): HostEntry | null => {
  const [base = '', bits, ...more] = text.split('/')
  const address = addressNumber(base)
  if (!address || more.length > 0) return null
  const width = address.family === 4 ? 32 : 128
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return null
  const prefix = bits === undefined ? width : Number(bits)
  if (prefix > width) return null
  const size = 1n << BigInt(width - prefix)
  const low = (address.value / size) * size
  return { kind: 'addresses', text: text.toLowerCase(), family: address.family, low, high: low + size - 1n }
}

/** `10.1.1.10-10.1.2.20`, `2001:db8::1-2001:db8::ff`. */
const wholeRange = (text: string): HostEntry | null => {
  const [first = '', last = '', ...more] = text.split('-')
  const from = addressNumber(first)
  const to = addressNumber(last)
  if (!from || !to || more.length > 0 || from.family !== to.family || from.value > to.value) return null
  return { kind: 'addresses', text: text.toLowerCase(), family: from.family, low: from.value, high: to.value }
}

/** `10.1.1.10-20`. */
const range = (text: string): HostEntry | null => {
  const [, head = '', first = '', last = ''] = /^((?:\d{1,3}\.){3})(\d{1,3})-(\d{1,3})$/.exec(text) ?? []
  const from = octets(`${head}${first}`)
  const to = octets(`${head}${last}`)
  if (head === '' || !from || !to || Number(first) > Number(last)) return null
  return { kind: 'addresses', text, family: 4, low: numberOf4(from), high: numberOf4(to) }
}

const subnet = (text: string): HostEntry | null => {
  if (!/^(?:\d{1,3}\.){1,3}$/.test(text)) return null
  const parts = octets(text.slice(0, -1))
  if (!parts) return null
  const size = 256n ** BigInt(4 - parts.length)
  const low = numberOf4(parts) * size
  return { kind: 'addresses', text, family: 4, low, high: low + size - 1n }
}

const SCORE = String.raw`[-+]?\d{1,2}(?:\.\d)?`
const REPUTATION = new RegExp(String.raw`^sbrs\[(?:(none)|(${SCORE}):(${SCORE}))\]$`, 'i')

const reputation = (text: string): HostEntry | null => {
  const [all, none, low, high] = REPUTATION.exec(text) ?? []
  if (all === undefined) return null
  if (none !== undefined) return { kind: 'no-reputation', text: 'sbrs[none]' }
  const ends = { low: Number(low), high: Number(high) }
  if (ends.low > ends.high || ends.low < -10 || ends.high > 10) return null
  return { kind: 'reputation', ...ends, text: `sbrs[${ends.low.toFixed(1)}:${ends.high.toFixed(1)}]` }
}

const dnslist = (text: string): HostEntry | null => {
  const [, zone = ''] = /^dnslist\[([^\]]+)\]$/i.exec(text) ?? []
  return zone !== '' && isHostname(zone)
    ? { kind: 'dnslist', zone: zone.toLowerCase(), text: `dnslist[${zone.toLowerCase()}]` }
    : null
}

/** `geo[DE]`, `geo[Germany]`. */
const country = (text: string): HostEntry | null => {
  const [, typed = ''] = /^geo\[([^\]]+)\]$/i.exec(text) ?? []
  const code = typed === '' ? null : countryCode(typed)
  return code === null ? null : { kind: 'country', code, text: `geo[${code}]` }
}

const named = (text: string): HostEntry | null => {
  const lower = text.toLowerCase()
  // Digits and dots are an address that is wrong, not a name.
  if (/^[\d.-]+$/.test(lower) || !isHostname(lower.replace(/^\./, ''))) return null
  return lower.startsWith('.')
    ? { kind: 'domain', suffix: lower, text: lower }
    : { kind: 'host', name: lower, text: lower }
}

/** Reads an entry of a sender group. */
export const parseHostEntry = (typed: string): Result<HostEntry> => {
  const text = typed.trim()
  if (text.toUpperCase() === 'ALL') return ok({ kind: 'all', text: 'ALL' })
  const entry =
    block(text) ??
    range(text) ??
    wholeRange(text) ??
    subnet(text) ??
    reputation(text) ??
    dnslist(text) ??
    country(text) ??
    named(text)
  return entry ? ok(entry) : fail(HOW)
}

/** An entry that names addresses: the only kind that needs no question to anybody. */
export const isAddressEntry = (text: string): boolean => {
  const entry = parseHostEntry(text)
  return entry.ok && entry.value.kind === 'addresses'
}

/** Whether one of the entries, all of them addresses, holds an address. */
export const holdsAddress = (entries: readonly string[], address: string): boolean => {
  const own = addressNumber(address)
  return entries.some((text) => {
    const entry = parseHostEntry(text)
    if (!own || !entry.ok || entry.value.kind !== 'addresses') return false
    const { family, low, high } = entry.value
    return own.family === family && own.value >= low && own.value <= high
  })
}
