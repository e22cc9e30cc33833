import { addressNumber } from '../config/host-entries.ts'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { createLru } from '../core/lru.ts'
import type { Resolver } from '../core/resolver.ts'

const KEEP_MS = 300_000
const KEEP_FAILURE_MS = 30_000
const KEPT = 10_000
const DEADLINE_MS = 1000

const ABSENT = new Set(['ENOTFOUND', 'ENODATA'])
/**
 * RFC 5782 §2.1: an answer of a list lies in 127/8; anything else is a resolver that makes names up. With this block lists
 * say that they do not answer (Spamhaus: asked through an open resolver, too often): everybody would be listed.
 */
const NO_ANSWER = '127.255.255.'

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
      let failed = false
      const answer = await withDeadline(clock, DEADLINE_MS, never, () => resolver.resolve(name, 'A')).catch(
        (error: unknown) => {
          failed = !ABSENT.has((error as { code?: string }).code ?? '')
          return []
        },
      )
      const codes = Array.isArray(answer) ? answer.filter((a) => typeof a === 'string') : []
      const listed = codes.some((a) => a.startsWith('127.') && !a.startsWith(NO_ANSWER))
      failed ||= !listed && codes.length > 0
      cache.set(name, { listed }, failed ? KEEP_FAILURE_MS : KEEP_MS)
      return listed
    },
  }
}
