import type { Clock } from './clock.ts'
import type { Entropy } from './entropy.ts'

/** The outside world that pure code may use. */
export interface Env {
  readonly clock: Clock
  readonly entropy: Entropy
}
