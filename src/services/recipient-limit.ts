import type { Clock } from '../core/clock.ts'
import { createLru } from '../core/lru.ts'

const KEPT = 100_000

/** Counts recipients of a client within a window that begins with the first. */
export const createRecipientLimit = (clock: Clock) => {
  const windows = createLru<{ count: number }>(KEPT, clock)
  return {
    /** Counts one more; false when `limit` has been reached. A limit of -1 lets everybody through uncounted. */
    take: (key: string, limit: number, windowSeconds: number): boolean => {
      if (limit < 0) return true
      let window = windows.get(key)
      if (!window) windows.set(key, (window = { count: 0 }), windowSeconds * 1000)
      if (window.count >= limit) return false
      window.count++
      return true
    },
  }
}
export type RecipientLimit = ReturnType<typeof createRecipientLimit>
