import type { Clock } from './clock.ts'

const REANCHOR_MS = 24 * 3600 * 1000

/**
 * The earlier of the wall clock and of the wall clock as it was at start plus the time that really passed. A clock that
 * jumps ahead then neither skips a stretch of the service's past nor ends a watch early; asking too far back costs only
 * answers that are known already. What a jump left behind for a day counts as the true time.
 */
export const createSteadyTime = (clock: Clock): { now(): Date } => {
  let wall = clock.now().getTime()
  let monotonic = clock.monotonic()
  return {
    now: () => {
      const passed = clock.monotonic() - monotonic
      const steady = wall + passed
      const now = clock.now().getTime()
      if (passed > REANCHOR_MS) {
        wall = now
        monotonic += passed
      }
      return new Date(Math.min(now, steady))
    },
  }
}
