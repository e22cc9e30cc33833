import type { Entropy } from '../../core/entropy.ts'
import { decide } from '../combine.ts'
import { scopesOfUrl } from '../indicator.ts'
import type { Scope } from '../indicator.ts'
import { urlVerdict } from '../url-verdict.ts'
import type { Opinion, UrlVerdict } from '../verdict.ts'
import { canonicalUrl } from './canonical.ts'
import { expressionHash, urlRef } from './hash.ts'
import { watchKeys } from './watch-keys.ts'

/** What a service says of the expressions whose hash begins with an asked prefix; it does not name them. */
export interface HashMatch {
  /** Whole hash, hexadecimal. */
  readonly hash: string
  readonly opinion: Omit<Opinion, 'indicator'>
}

const PREFIX_DIGITS = 8
/** Requests come in steps of so many prefixes, so that their number tells little of the URLs. */
const STEP = 64
const MAX_PREFIXES = 8192

interface Asked {
  readonly url: string
  readonly scopes: readonly Scope[]
  readonly hashes: readonly string[]
}

/**
 * Look-ups that do not tell what they ask about: the first 32 bits of each look-up expression's hash, filled up with random
 * ones and sorted. The verdict is chosen here, by the same rule as in the service, from what fits the whole hash.
 */
export const blindLookup = (urls: readonly string[], entropy: Entropy) => {
  const asked = urls.map((url): Asked => {
    const canonical = canonicalUrl(url)
    const scopes = canonical === null ? [] : scopesOfUrl(canonical)
    return { url, scopes, hashes: scopes.map((s) => expressionHash(s.key).toString('hex')) }
  })
  const prefixes = new Set(asked.flatMap((a) => a.hashes.map((h) => h.slice(0, PREFIX_DIGITS))))
  const wanted = Math.max(1, Math.ceil(prefixes.size / STEP)) * STEP
  while (prefixes.size < wanted) prefixes.add(Buffer.from(entropy.bytes(PREFIX_DIGITS / 2)).toString('hex'))
  const sorted = [...prefixes].sort()
  return {
    /** Each is one request. */
    requests: Array.from({ length: Math.ceil(sorted.length / MAX_PREFIXES) }, (_, n) =>
      sorted.slice(n * MAX_PREFIXES, (n + 1) * MAX_PREFIXES),
    ),
    verdicts: (matches: readonly HashMatch[]): ReadonlyMap<string, UrlVerdict> => {
      const byHash = new Map<string, HashMatch[]>()
      for (const m of matches) byHash.set(m.hash, [...(byHash.get(m.hash) ?? []), m])
      return new Map(
        asked.map(({ url, scopes, hashes }) => {
          const placed = hashes.flatMap((hash, place) =>
            (byHash.get(hash) ?? []).map(({ opinion }) => ({
              place,
              opinion: { ...opinion, indicator: (scopes[place] as Scope).key },
            })),
          )
          return [url, urlVerdict(url, decide(placed))] as const
        }),
      )
    },
  }
}

/** A URL to be watched as the service gets it: hashes of its look-up expressions, and a name for it that says nothing. */
export const blindSubmission = (url: string) => {
  const canonical = canonicalUrl(url)
  const hex = (hash: bigint): string => BigInt.asUintN(64, hash).toString(16).padStart(16, '0')
  const ref = urlRef(url)
  // What cannot be a URL can turn by nothing; it is handed over all the same, so that the journal goes on.
  if (canonical === null) return { ref, expressions: [ref.slice(0, 16)], index: [0] }
  const { hashes, index } = watchKeys(canonical)
  return { ref, expressions: hashes.map(hex), index }
}
