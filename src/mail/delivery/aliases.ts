import type { Alias } from '../../config/sections/aliases.ts'
import { oncePer } from '../../core/once-per.ts'

/** Replacements of one address before another is taken for a loop. */
const DEPTH = 10
const MAX_ADDRESSES = 1000

interface Table {
  readonly exact: ReadonlyMap<string, readonly string[]>
}

/** `user@domain`, `@domain` and `user` (in every domain), lower case. */
const keyOf = ({ domain, alias }: Alias): string =>
  (domain === null ? alias : alias.includes('@') ? alias : `${alias}@${domain}`).toLowerCase()

const tableOf = oncePer((aliases: readonly Alias[]): Table => ({
  exact: new Map(aliases.map((a) => [keyOf(a), a.addresses])),
}))

const split = (address: string): { readonly user: string; readonly domain: string } => {
  const at = address.lastIndexOf('@')
  return { user: address.slice(0, at), domain: address.slice(at + 1) }
}

const target = (address: string, from: string): string =>
  address.includes('@') || address.startsWith('/') ? address : `${address}@${split(from).domain}`

/** The addresses that stand for one, or null when no alias takes it. A whole address goes before a domain, that before a user. */
const replacementFor = (address: string, { exact }: Table): readonly string[] | null => {
  const { user, domain } = split(address.toLowerCase())
  const found = exact.get(`${user}@${domain}`) ?? exact.get(`@${domain}`) ?? exact.get(user)
  return found?.map((to) => target(to, address)) ?? null
}

/**
 * The recipients as aliasconfig has them, each once, with what was asked for the one that
 * led to it (RFC 3461 §5.2.7.1); null when nothing changes. An alias may name aliases; one that comes
 * back to itself is left as it is. `/dev/null` is nobody.
 */
export const expandAliases = <R extends { readonly address: string }>(
  recipients: readonly R[],
  aliases: readonly Alias[],
): readonly R[] | null => {
  if (aliases.length === 0) return null
  const table = tableOf(aliases)
  const out = new Map<string, R>()
  let changed = false
  const expand = (address: string, of: R, path: readonly string[]): void => {
    if (address.toLowerCase() === '/dev/null' || out.size >= MAX_ADDRESSES) return
    const known = address.toLowerCase()
    const to = path.length >= DEPTH || path.includes(known) ? null : replacementFor(address, table)
    if (to === null) {
      if (!out.has(known)) out.set(known, { ...of, address })
      return
    }
    changed = true
    for (const next of to) expand(next, of, [...path, known])
  }
  for (const recipient of recipients) expand(recipient.address, recipient, [])
  return changed ? [...out.values()] : null
}
