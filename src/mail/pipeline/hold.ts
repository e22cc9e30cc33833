import type { ConfigReader } from '../../config/section.ts'
import { quarantines } from '../../config/sections/quarantines.ts'
import type { SpoolState } from '../../store/spool.ts'
import type { QuarantineFlag } from './stage.ts'

const HOUR_MS = 3_600_000
/** Of a quarantine that was removed after the filter flagged the message: as Policy's. */
const FALLBACK_HOURS = 240

/** Held in quarantine from now on, for the quarantine's retention. */
export const heldState = (
  { quarantine, by }: QuarantineFlag,
  resumeAt: string,
  config: ConfigReader,
  now: Date,
): Extract<SpoolState, { kind: 'quarantined' }> => {
  const hours = config.get(quarantines).find((q) => q.name === quarantine)?.retentionHours ?? FALLBACK_HOURS
  return {
    kind: 'quarantined',
    quarantine,
    reason: `${by.kind}:${by.name}`,
    since: now,
    until: new Date(now.getTime() + hours * HOUR_MS),
    resumeAt,
  }
}
