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
  readonly sendWarnings: boolean
  readonly warnings: { readonly seconds: number; readonly count: number }
  readonly alternateAddress: string | null
}

/** `name` null, or a profile that is gone, is the profile Default. */
export const bounceTerms = (
  name: string | null,
  profiles: readonly BounceProfile[],
  fallback: DefaultProfile,
): BounceTerms => {
  const { maxRetries, maxQueueSeconds, initialRetrySeconds, maxRetrySeconds, alternateAddress } = fallback
  const warnings = { seconds: fallback.warningSeconds, count: fallback.warningCount }
  const { sendBounces, dsnFormat, sendWarnings } = fallback
  const own = name === null ? undefined : profiles.find((p) => p.name === name)
  const times = { maxRetries, maxQueueSeconds, initialRetrySeconds, maxRetrySeconds }
  if (!own) return { ...times, sendBounces, dsnFormat, sendWarnings, warnings, alternateAddress }
  const choose = (choice: BounceProfile['sendBounces'], otherwise: boolean): boolean =>
    choice === 'default' ? otherwise : choice === 'yes'
  return {
    maxRetries: own.maxRetries,
    maxQueueSeconds: own.maxQueueSeconds,
    initialRetrySeconds: own.initialRetrySeconds,
    maxRetrySeconds: own.maxRetrySeconds,
    sendBounces: choose(own.sendBounces, sendBounces),
    dsnFormat: choose(own.dsnFormat, dsnFormat),
    sendWarnings: choose(own.sendWarnings, sendWarnings),
    warnings: own.sendWarnings === 'yes' ? { seconds: own.warningSeconds, count: own.warningCount } : warnings,
    alternateAddress: own.alternateAddress,
  }
}

/** How many warnings are due for a message that has waited since `queuedAt`. */
export const warningsDue = ({ warnings }: BounceTerms, queuedAt: Date, now: Date): number =>
  Math.min(warnings.count, Math.floor((now.getTime() - queuedAt.getTime()) / (warnings.seconds * 1000)))
