import type { BounceProfile } from '../../config/sections/bounce-profiles.ts'
import type { delivery } from '../../config/sections/delivery.ts'

type DefaultProfile = (typeof delivery)['defaults']

/** A bounce profile with its `default` answers filled in. */
export interface BounceTerms {
  readonly maxRetries: number
  readonly maxQueueSeconds: number
  readonly initialRetrySeconds: number
  readonly maxRetrySeconds: number
  readonly sendBounces: boolean
  readonly dsnFormat: boolean
  /** null = nobody is warned. */
  readonly warnings: { readonly seconds: number; readonly count: number } | null
  readonly alternateAddress: string | null
}

const warningsOf = (wanted: boolean, seconds: number, count: number): BounceTerms['warnings'] =>
  wanted ? { seconds, count } : null

/** `name` null, or a profile that is gone, is the profile Default. */
export const bounceTerms = (
  name: string | null,
  profiles: readonly BounceProfile[],
  fallback: DefaultProfile,
): BounceTerms => {
  const { maxRetries, maxQueueSeconds, initialRetrySeconds, maxRetrySeconds, alternateAddress } = fallback
  const warnings = warningsOf(fallback.sendWarnings, fallback.warningSeconds, fallback.warningCount)
  const { sendBounces, dsnFormat } = fallback
  const own = name === null ? undefined : profiles.find((p) => p.name === name)
  const times = { maxRetries, maxQueueSeconds, initialRetrySeconds, maxRetrySeconds }
  if (!own) return { ...times, sendBounces, dsnFormat, warnings, alternateAddress }
  const choose = (choice: BounceProfile['sendBounces'], otherwise: boolean): boolean =>
    choice === 'default' ? otherwise : choice === 'yes'
  return {
    maxRetries: own.maxRetries,
    maxQueueSeconds: own.maxQueueSeconds,
    initialRetrySeconds: own.initialRetrySeconds,
    maxRetrySeconds: own.maxRetrySeconds,
    sendBounces: choose(own.sendBounces, sendBounces),
    dsnFormat: choose(own.dsnFormat, dsnFormat),
    warnings:
      own.sendWarnings === 'default'
        ? warnings
        : warningsOf(own.sendWarnings === 'yes', own.warningSeconds, own.warningCount),
    alternateAddress: own.alternateAddress,
  }
}

/** How many warnings are due for a message that has waited since `queuedAt`. */
export const warningsDue = (terms: BounceTerms, queuedAt: Date, now: Date): number =>
  terms.warnings === null
    ? 0
    : Math.min(terms.warnings.count, Math.floor((now.getTime() - queuedAt.getTime()) / (terms.warnings.seconds * 1000)))
