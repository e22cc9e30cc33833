import type { Clock } from '../../core/clock.ts'

const WINDOW_MS = 60_000

/** Requests of a device in the running minute. Only devices that have a token are counted, so the table stays small. */
export const createRequestRates = (clock: Clock, perMinute: number) => {
  let window = 0
  let counts = new Map<string, number>()
  return {
    /** Seconds to wait; 0 = go on. */
    take: (serial: string): number => {
      const now = clock.monotonic()
      const current = Math.floor(now / WINDOW_MS)
      if (current !== window) {
        window = current
        counts = new Map()
      }
      const count = (counts.get(serial) ?? 0) + 1
      if (count > perMinute) return Math.max(1, Math.ceil(((current + 1) * WINDOW_MS - now) / 1000))
      counts.set(serial, count)
      return 0
    },
  }
}
