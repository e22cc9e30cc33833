import type { Clock } from '../../core/clock.ts'

const WINDOW_MS = 60_000

/** Askers that are told apart; more than these share one count, so that the table ends somewhere. */
const MAX_ASKERS = 50_000

/** Requests of a device, or of an address, in the running minute. */
export const createRequestRates = (clock: Clock, perMinute: number) => {
  let window = 0
  let counts = new Map<string, number>()
  return {
    /** Seconds to wait; 0 = go on. */
    take: (asker: string): number => {
      const now = clock.monotonic()
      const current = Math.floor(now / WINDOW_MS)
      if (current !== window) {
        window = current
        counts = new Map()
      }
      const known = counts.has(asker) || counts.size < MAX_ASKERS ? asker : ''
      const count = (counts.get(known) ?? 0) + 1
      if (count > perMinute) return Math.max(1, Math.ceil(((current + 1) * WINDOW_MS - now) / 1000))
      counts.set(known, count)
      return 0
    },
  }
}
