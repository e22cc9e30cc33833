import type { LocalTime } from '../../core/localtime.ts'

/** `23:37:13`, in the zone of the appliance. */
export const timeOfDay = (time: LocalTime, at: Date): string => /\d\d:\d\d:\d\d/.exec(time.stamp(at))?.[0] ?? ''
