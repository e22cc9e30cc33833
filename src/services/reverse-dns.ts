import type { Clock } from '../core/clock.ts'
import { startTimer } from '../core/deadline.ts'
import type { Resolver } from '../core/resolver.ts'

/** The name of an address, and whether that name leads back to it. */
export interface ReverseName {
  readonly host: string | null
  readonly verified: boolean
}

const UNKNOWN: ReverseName = { host: null, verified: false }
const KEEP_MS = 300_000
const KEPT = 10_000
/** Names asked of one address, and addresses of a name: an attacker's zone can hold any number. */
const NAMES = 5

/** Forward-confirmed reverse DNS with a small cache. `lookup` never rejects and answers within `withinMs`. */
export const createReverseDns = (resolver: Resolver, clock: Clock) => {
  const cache = new Map<string, { readonly until: number; readonly name: Promise<ReverseName>; found?: ReverseName }>()

  const ask = async (address: string): Promise<ReverseName> => {
    const names = (await resolver.reverse(address).catch(() => [])).slice(0, NAMES)
    for (const host of names) {
      const answer = await resolver.resolve(host, address.includes(':') ? 'AAAA' : 'A').catch(() => [])
      if (Array.isArray(answer) && answer.includes(address)) return { host: clean(host), verified: true }
    }
    return { host: names[0] === undefined ? null : clean(names[0]), verified: false }
  }

  return {
    lookup: async (address: string, withinMs: number): Promise<ReverseName> => {
      const now = clock.monotonic()
      let known = cache.get(address)
      if (!known || known.until < now) {
        const fresh: typeof known = { until: now + KEEP_MS, name: ask(address) }
        known = fresh
        void known.name.then((name) => (fresh.found = name))
        cache.delete(address)
        cache.set(address, known)
        for (const oldest of cache.keys()) {
          if (cache.size <= KEPT) break
          cache.delete(oldest)
        }
      }
      if (known.found) return known.found
      let cancel = (): void => undefined
      const late = new Promise<ReverseName>((resolve) => {
        cancel = startTimer(clock, withinMs, () => resolve(UNKNOWN))
      })
      try {
        return await Promise.race([known.name, late])
      } finally {
        cancel()
      }
    },
  }
}

/** A PTR record can hold any byte. */
const clean = (host: string): string =>
  host
    .replace(/\.$/, '')
    .replace(/[^!-~]/g, '?')
    .slice(0, 255)
