import type { Entropy } from '../core/entropy.ts'

const MARGIN_MS = 5 * 60_000
const LONGEST_BACK_OFF_MS = 15 * 60_000
const LONGEST_RETRY_AFTER_MS = 3600_000

/** `2022-03-29T23:20:24Z`, as the query's `since` is written. */
export const utcSeconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

/**
 * The start of a query: one look-back window ago; after an outage that was longer, from the last poll that succeeded
 * (and a little before); never further than a verdict can still act.
 */
export const querySince = (
  now: Date,
  polledTo: Date | null,
  settings: { readonly lookBackSeconds: number; readonly watchHours: number },
): Date => {
  const lookBack = now.getTime() - settings.lookBackSeconds * 1000
  const resume = polledTo === null ? lookBack : polledTo.getTime() - MARGIN_MS
  return new Date(Math.max(furthestSince(now, settings).getTime(), Math.min(lookBack, resume)))
}

/** The beginning of the time in which a verdict may still act. */
export const furthestSince = (
  now: Date,
  settings: { readonly lookBackSeconds: number; readonly watchHours: number },
): Date => new Date(now.getTime() - settings.lookBackSeconds * 1000 - settings.watchHours * 3600_000)

/** The wait before the next poll: doubles with each failure, spread by a quarter, at least what the service asked for. */
export const pollDelay = (pollSeconds: number, failures: number, retryAfterMs: number, entropy: Entropy): number => {
  const usual = pollSeconds * 1000
  if (failures === 0) return usual
  const grown = Math.min(usual * 2 ** Math.min(failures - 1, 20), Math.max(usual, LONGEST_BACK_OFF_MS))
  const spread = grown * (0.75 + entropy.int(501) / 1000)
  return Math.max(spread, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS))
}
