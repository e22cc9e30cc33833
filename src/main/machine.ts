import { systemResolver } from '../adapters/dns/resolver.ts'
import { systemClock } from '../core/clock.ts'
import { systemEntropy } from '../core/entropy.ts'
import type { ApplianceOptions } from './options.ts'

/** The real clock, randomness and DNS; tests pass their own. */
export const machineParts = (): Pick<ApplianceOptions, 'env' | 'resolver'> => ({
  env: { clock: systemClock, entropy: systemEntropy },
  resolver: systemResolver(),
})
