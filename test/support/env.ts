import type { Env } from '../../src/core/env.ts'
import type { Entropy } from '../../src/core/entropy.ts'
import { FakeClock } from './fake-clock.ts'

/** Repeatable randomness (xorshift32). */
export const seededEntropy = (seed = 1): Entropy => {
  let state = seed || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return { bytes: (n) => Uint8Array.from({ length: n }, () => next() & 0xff), int: (max) => next() % max }
}

export const testEnv = (start?: string): Env & { readonly clock: FakeClock } => ({
  clock: new FakeClock(start),
  entropy: seededEntropy(),
})
