import { addressNumber } from '../config/host-entries.ts'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { createLru } from '../core/lru.ts'
import type { Resolver } from '../core/resolver.ts'

const KEEP_MS = 300_000
const KEPT = 10_000
const DEADLINE_MS = 1000

/** The name under which a DNS list holds an address (RFC 5782 §2). */
export const listedName = (address: string, zone: string): string | null => {
  const number = addressNumber(address)
  if (!number) return null
  if (number.family === 4) return `${address.split('.').reverse().join('.')}.${zone}`
  return `${[...number.value.toString(16).padStart(32, '0')].reverse().join('.')}.${zone}`
}

/** Whether a DNS list holds an address. Never rejects and answers within a second; a list that does not answer holds nobody. */
export const createDnsLists = (resolver: Resolver, clock: Clock) => {
  const cache = createLru<{ readonly listed: boolean }>(KEPT, clock)
  return {
    listed: async (address: string, zone: string): Promise<boolean> => {
      const name = listedName(address, zone)
      if (name === null) return false
      const known = cache.get(name)
      if (known) return known.listed
      const never = new AbortController().signal
      const answer = await withDeadline(clock, DEADLINE_MS, never, () => resolver.resolve(name, 'A')).catch(() => [])
      // RFC 5782 §2.1: an answer of a list lies in 127/8; anything else is a resolver that makes names up.
      const listed = Array.isArray(answer) && answer.some((a) => typeof a === 'string' && a.startsWith('127.'))
      cache.set(name, { listed }, KEEP_MS)
      return listed
    },
  }
}
