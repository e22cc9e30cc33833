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

const FAULT_PAUSE_MS = 5000
const LONGEST_PAUSE_MS = 3_600_000

/**
 * After an error of our own the queue takes a breath, so that it never spins, and a longer one each time in a row: what was
 * handed over and could not be recorded is handed over again.
 */
export const faultPauseMs = (failures: number): number =>
  Math.min(FAULT_PAUSE_MS * 2 ** Math.min(Math.max(failures - 1, 0), 20), LONGEST_PAUSE_MS)
