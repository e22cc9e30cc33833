import { scopesOfUrl } from '../indicator.ts'
import type { Scope } from '../indicator.ts'
import type { CanonicalUrl } from './canonical.ts'
import { domainKeys } from './expressions.ts'
import { shortHash } from './hash.ts'

/** What a URL is watched by. */
export interface WatchKeys {
  /** Hashes of its look-up expressions, narrowest first: whatever is said of one of them bears on the URL. */
  readonly hashes: readonly bigint[]
  /** Positions of those under which it is found again: some of them are enough, see `probeOf`. */
  readonly index: readonly number[]
}

/**
 * Hosts × paths would be some ten entries for a common URL. It is indexed by its host and each parent, and by its
 * registrable domain with each path; an indicator is looked for under the one key that all it covers have.
 */
export const watchKeys = (url: CanonicalUrl): WatchKeys => {
  const scopes = scopesOfUrl(url)
  return { hashes: scopes.map((s) => shortHash(s.key)), index: positions(url, scopes) }
}

/** Only the hashes under which a URL is found again. */
export const indexHashes = (url: CanonicalUrl): readonly bigint[] => {
  const scopes = scopesOfUrl(url)
  return positions(url, scopes).map((at) => shortHash((scopes[at] as Scope).key))
}

const positions = (url: CanonicalUrl, scopes: readonly Scope[]): readonly number[] => {
  const domain = domainOf(url.host)
  return scopes.flatMap(({ kind, key }, at) =>
    kind === 'domain' || (key.startsWith(`${domain}/`) && key.length > domain.length + 1) ? [at] : [],
  )
}

/** The key under which everything is indexed that the indicator may cover; what is found there is judged in full. */
export const probeOf = (indicator: string): bigint => {
  const slash = indicator.indexOf('/')
  if (slash < 0) return shortHash(indicator)
  const host = indicator.slice(0, slash)
  const path = indicator.slice(slash)
  return shortHash(path === '/' ? host : domainOf(host) + path)
}

/** Registrable domain; the host itself where there is none (addresses, single labels, bare suffixes). */
const domainOf = (host: string): string => {
  const keys = domainKeys(host)
  return keys[keys.length - 1] ?? host
}
