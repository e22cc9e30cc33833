import { isIP } from 'node:net'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { isHostname } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'
import type { AddressList } from './sections/address-lists.ts'

type ListType = AddressList['type']

const USER = /^[^\s@<>()[\],;:"\\]+$/

const isDomain = (text: string): boolean => isHostname(text.replace(/^\./, '')) && isIP(text) === 0
const isBlock = (text: string): boolean => {
  const [address = '', bits, rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
const inBrackets = (text: string): string | null => /^\[(?:IPv6:)?([^\]]*)\]$/i.exec(text)?.[1] ?? null

const isEmail = (entry: string): boolean => {
  const at = entry.lastIndexOf('@')
  if (at <= 0 || !USER.test(entry.slice(0, at))) return false
  const domain = entry.slice(at + 1)
  return domain === '' || isDomain(domain)
}
const isAtDomain = (entry: string): boolean => entry.startsWith('@') && isDomain(entry.slice(1))
const isAtAddress = (entry: string): boolean => entry.startsWith('@') && isBlock(inBrackets(entry.slice(1)) ?? '')

const RULES: Readonly<Record<ListType, { readonly fits: (entry: string) => boolean; readonly forms: string }>> = {
  emails: { fits: isEmail, forms: 'user@example.com, user@' },
  domains: { fits: (e) => isAtDomain(e) || isDomain(e), forms: '@example.com, @.example.com, example.com' },
  ips: { fits: (e) => isAtAddress(e) || isBlock(e), forms: '@[1.2.3.4], 1.2.3.4, 10.1.0.0/16, 2001:db8::1' },
  all: {
    fits: (e) => isEmail(e) || isAtDomain(e) || isAtAddress(e),
    forms: 'user@example.com, user@, @example.com, @.example.com, @[1.2.3.4]',
  },
}

/** The forms of entry that a type of list takes, for the `(e.g.: …)` line. */
export const entryForms = (type: ListType): string => RULES[type].forms

/** Reads entries separated by commas or white space; one that stands twice is taken once. */
export const parseEntries = (type: ListType, answer: string): Result<string[]> => {
  const entries = answer.split(/[\s,]+/).filter((e) => e !== '')
  if (entries.length === 0) return fail('A value is required.')
  const wrong = entries.find((e) => !RULES[type].fits(e) || e.length > 320)
  if (wrong !== undefined)
    return fail(`'${printableCut(wrong, 100)}' cannot stand in this list. (Ex: ${RULES[type].forms})`)
  return ok([...new Set(entries)])
}

/** Everything under which `entry` would be found: wider entries that make it superfluous. */
const widerEntries = (entry: string): readonly string[] => {
  const lower = entry.toLowerCase()
  const at = lower.lastIndexOf('@')
  const domain = lower.slice(at + 1)
  const labels = domain.replace(/^\./, '').split('.')
  // A list of domains may leave the @ out.
  const named = (d: string): readonly string[] => [`@${d}`, d]
  const parents = labels.slice(1).map((_, i) => `.${labels.slice(i + 1).join('.')}`)
  const user = at > 0 ? [`${lower.slice(0, at)}@`, ...named(domain)] : []
  return [...user, ...parents.flatMap(named)].filter((wider) => wider !== lower)
}

/** Pairs of an entry and the one that covers it already: `user@example.com` and `@example.com`. */
export const conflictingEntries = (entries: readonly string[]): readonly (readonly [string, string])[] => {
  const seen = new Map<string, string>()
  const twice: (readonly [string, string])[] = []
  for (const entry of entries) {
    const first = seen.get(entry.toLowerCase())
    if (first === undefined) seen.set(entry.toLowerCase(), entry)
    else twice.push([entry, first])
  }
  const covered = entries.flatMap((entry) => {
    const wider = widerEntries(entry).find((w) => seen.has(w))
    return wider === undefined ? [] : [[entry, seen.get(wider) ?? wider] as const]
  })
  return [...twice, ...covered]
}
