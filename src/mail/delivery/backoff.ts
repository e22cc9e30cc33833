import type { Entropy } from '../../core/entropy.ts'

export interface RetryTimes {
  readonly initialRetrySeconds: number
  readonly maxRetrySeconds: number
}

/** Doubles with each failure up to the maximum; up to a tenth less, so that what failed together does not return together. */
export const retryDelayMs = (failures: number, times: RetryTimes, entropy: Entropy): number => {
  const full = Math.min(times.initialRetrySeconds * 2 ** Math.min(failures, 30), times.maxRetrySeconds) * 1000
  return full - entropy.int(Math.max(1, Math.floor(full / 10)))
}
