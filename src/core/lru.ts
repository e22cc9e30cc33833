import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'

/** A bounded map whose entries end after their own time; the least recently used go first when it is full. */
export interface Lru<V extends object> {
  get(key: string): V | undefined
  set(key: string, value: V, ttlMs: number): void
  delete(key: string): void
  clear(): void
  readonly size: number
}

export const createLru = <V extends object>(max: number, clock: Pick<Clock, 'monotonic'>): Lru<V> => {
  const cache = new LRUCache<string, V>({
    // With `max` it reserves room for every entry at once: 0.1 s for the caches of an appliance. A size does not.
    maxSize: max,
    sizeCalculation: () => 1,
    // It takes a time of 0 for "not set": the injected clock may start there.
    perf: { now: () => clock.monotonic() + 1 },
    ttlResolution: 0,
    ttl: 1,
  })
  return {
    get: (key) => cache.get(key),
    set: (key, value, ttl) => void cache.set(key, value, { ttl }),
    delete: (key) => void cache.delete(key),
    clear: () => cache.clear(),
    get size() {
      cache.purgeStale()
      return cache.size
    },
  }
}
