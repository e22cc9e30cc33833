import type { ZoneOffset } from '../../core/timezone.ts'

/**
 * The footer of a TZif file (RFC 9636 §3.3): a POSIX TZ string, the rule for all instants after the last transition.
 * `EST5EDT,M3.2.0,M11.1.0`, `<+03>-3`, `IST-1GMT0,M10.5.0,M3.5.0/1`.
 */
export type ZoneRule = (unixSeconds: number) => ZoneOffset

const NAME = String.raw`([A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)`
const TIME = String.raw`([+-]?\d{1,3}(?::\d{2}(?::\d{2})?)?)`
const DATE = String.raw`(J\d{1,3}|\d{1,3}|M\d{1,2}\.[1-5]\.[0-6])`
const TZ = new RegExp(`^${NAME}${TIME}(?:${NAME}${TIME}?(?:,${DATE}(?:/${TIME})?,${DATE}(?:/${TIME})?)?)?$`)
const DAY = 86_400

const seconds = (text: string): number => {
  const [h = 0, m = 0, s = 0] = text.replace(/^[+-]/, '').split(':').map(Number)
  return (text.startsWith('-') ? -1 : 1) * (h * 3600 + m * 60 + s)
}

const dayStart = (year: number, month: number, day: number): number => Date.UTC(year, month, day) / 1000

/** Start of the day that a rule names in that year, as if the zone were UTC. */
const ruleDay = (rule: string, year: number): number => {
  const first = dayStart(year, 0, 1)
  if (rule.startsWith('M')) {
    const [month = 1, week = 1, weekday = 0] = rule.slice(1).split('.').map(Number)
    const monthStart = dayStart(year, month - 1, 1)
    const offset = (weekday - new Date(monthStart * 1000).getUTCDay() + 7) % 7
    const day = monthStart + (offset + (week - 1) * 7) * DAY
    // Week 5 is the last one, whether the month has five or four of that weekday.
    return day < dayStart(year, month, 1) ? day : day - 7 * DAY
  }
  if (rule.startsWith('J')) {
    const n = Number(rule.slice(1))
    const leap = dayStart(year, 2, 1) - dayStart(year, 1, 1) === 29 * DAY
    return first + (n - 1 + (leap && n >= 60 ? 1 : 0)) * DAY
  }
  return first + Number(rule) * DAY
}

/** null when the text is no TZ string. */
export const parsePosixTz = (text: string): ZoneRule | null => {
  const match = TZ.exec(text)
  if (match === null) return null
  const [, stdName = '', stdOffset = '0', dstName, dstOffset, start, startTime, end, endTime] = match
  const letters = (name: string): string => name.replace(/^<|>$/g, '')
  // POSIX counts west of Greenwich as positive.
  const std: ZoneOffset = { offsetSeconds: -seconds(stdOffset) || 0, abbreviation: letters(stdName) }
  if (dstName === undefined) return () => std
  const dst: ZoneOffset = {
    offsetSeconds: dstOffset === undefined ? std.offsetSeconds + 3600 : -seconds(dstOffset) || 0,
    abbreviation: letters(dstName),
  }
  const from = start ?? 'M3.2.0'
  const to = end ?? 'M11.1.0'
  return (at) => {
    const year = new Date((at + std.offsetSeconds) * 1000).getUTCFullYear()
    // Rules are local: the beginning in standard time, the end in summer time.
    const begins = ruleDay(from, year) + seconds(startTime ?? '2') - std.offsetSeconds
    const ends = ruleDay(to, year) + seconds(endTime ?? '2') - dst.offsetSeconds
    const summer = begins < ends ? at >= begins && at < ends : at >= begins || at < ends
    return summer ? dst : std
  }
}
