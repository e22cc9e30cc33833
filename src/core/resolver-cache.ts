import type { Clock } from './clock.ts'
import { createLru } from './lru.ts'
import type { Resolver } from './resolver.ts'

export interface CachedResolver extends Resolver {
  /** Forgets everything; the number of answers that were kept. */
  flush(): number
}

interface Kept {
  readonly answer?: unknown
  readonly error?: unknown
}

const MAX_ANSWERS = 50_000
/** That a name does not exist is believed no longer than this (RFC 2308 §5 has hours; new senders come sooner). */
const NEGATIVE_MS = 300_000
const NEGATIVE: readonly unknown[] = ['ENOTFOUND', 'ENODATA']

/**
 * Answers of DNS, kept for the minimum time to live; the same question asked by many at once is asked once. Failures
 * (time-out, SERVFAIL) are not kept.
 */
export const cachedResolver = (deps: {
  readonly upstream: Resolver
  readonly clock: Clock
  readonly minTtlMs: () => number
}): CachedResolver => {
  const kept = createLru<Kept>(MAX_ANSWERS, deps.clock)
  const asking = new Map<string, Promise<unknown>>()
  // What is under way when the cache is flushed is older than the flush.
  let epoch = 0

  const fetch = async (key: string, ask: () => Promise<unknown>): Promise<unknown> => {
    const asked = epoch
    const keep = (value: Kept, ms: number): void => {
      if (asked === epoch) kept.set(key, value, ms)
    }
    try {
      const answer = await ask()
      keep({ answer }, deps.minTtlMs())
      return answer
    } catch (error) {
      if (NEGATIVE.includes((error as { code?: unknown }).code)) keep({ error }, Math.min(deps.minTtlMs(), NEGATIVE_MS))
      throw error
    } finally {
      if (asked === epoch) asking.delete(key)
    }
  }

  const look = async (key: string, ask: () => Promise<unknown>): Promise<unknown> => {
    const hit = kept.get(key)
    if (hit) {
      if ('error' in hit) throw hit.error
      return hit.answer
    }
    let answer = asking.get(key)
    if (!answer) asking.set(key, (answer = fetch(key, ask)))
    return await answer
  }

  return {
    resolve: (name, rrtype) => look(`${rrtype} ${name.toLowerCase()}`, () => deps.upstream.resolve(name, rrtype)),
    reverse: async (address) =>
      (await look(`PTR ${address}`, () => deps.upstream.reverse(address))) as readonly string[],
    flush: () => {
      epoch++
      asking.clear()
      const { size } = kept
      kept.clear()
      return size
    },
  }
}
