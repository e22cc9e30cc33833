import type { Times } from './lookup.ts'

/** Smallest, mean and largest of the durations added, in seconds. */
export const createTimes = (): { add(seconds: number): void; read(): Times } => {
  let count = 0
  let total = 0
  let minimum: number | null = null
  let maximum: number | null = null
  return {
    add: (seconds) => {
      count++
      total += seconds
      minimum = Math.min(minimum ?? seconds, seconds)
      maximum = Math.max(maximum ?? seconds, seconds)
    },
    read: () => ({ minimum, average: count === 0 ? 0 : total / count, maximum }),
  }
}
