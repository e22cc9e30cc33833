import { fileStamp, stamp } from './timezone.ts'
import type { TimeZones } from './timezone.ts'

/** Renders instants in the zone that is configured at that moment (`settz`). */
export interface LocalTime {
  /** `Tue Mar 29 20:20:24 2022` */
  stamp(at: Date): string
  /** `Tue Mar 29 19:43:48 2022 EDT` */
  stampZone(at: Date): string
  /** `20220329T202010` */
  fileStamp(at: Date): string
  offsetSeconds(at: Date): number
}

/** `zone` is asked each time, so that a committed `settz` shows at once. An unknown zone counts as UTC. */
export const localTime = (zones: TimeZones, zone: () => string): LocalTime => {
  const at = (instant: Date) => zones.at(zone(), instant) ?? { offsetSeconds: 0, abbreviation: 'UTC' }
  return {
    stamp: (d) => stamp(d, at(d).offsetSeconds),
    stampZone: (d) => {
      const z = at(d)
      return `${stamp(d, z.offsetSeconds)} ${z.abbreviation}`
    },
    fileStamp: (d) => fileStamp(d, at(d).offsetSeconds),
    offsetSeconds: (d) => at(d).offsetSeconds,
  }
}
