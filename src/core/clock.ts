import { setTimeout as delay } from 'node:timers/promises'

/** Time as an argument: nothing else in the product asks the machine what time it is. */
export interface Clock {
  /** Wall-clock time. May jump. */
  now(): Date
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back after `ms` unless it is cancelled by the function that it answers; cheaper than a sleep that is aborted. */
  after?(ms: number, wake: () => void): () => void
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    // Timers above 2^31-1 ms fire at once in Node; cap and let the caller's loop come round again.
    await delay(Math.min(ms, 2_147_483_647), undefined, signal ? { signal } : undefined)
  },
  after: (ms, wake) => {
    const timer = setTimeout(wake, Math.min(ms, 2_147_483_647))
    return () => clearTimeout(timer)
  },
}
