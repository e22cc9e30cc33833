import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TimeZones, ZoneRow } from '../../core/timezone.ts'
import type { ZoneRule } from './posix-tz.ts'
import { parseTzif } from './tzif.ts'

const DIRECTORY = '/usr/share/zoneinfo'
/** A name of the tz database, and nothing that leads out of its directory. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,3}$/
const MAX_CACHED = 64

/** The system's compiled zone files: the only source of zone letters (`EDT`) that Node does not give. */
export const zoneinfo = (directory: string = DIRECTORY): TimeZones => {
  const rules = new Map<string, ZoneRule | null>()
  const load = (zone: string): ZoneRule | null => {
    if (!NAME.test(zone)) return null
    const known = rules.get(zone)
    if (known !== undefined) return known
    let rule: ZoneRule | null
    try {
      rule = parseTzif(readFileSync(join(directory, zone)))
    } catch {
      rule = null
    }
    if (rules.size >= MAX_CACHED) rules.clear()
    rules.set(zone, rule)
    return rule
  }
  let rows: readonly ZoneRow[] | null = null
  const table = (): readonly ZoneRow[] => (rows ??= readRows(directory))
  return {
    at: (zone, instant) => load(zone)?.(Math.floor(instant.getTime() / 1000)) ?? null,
    list: () => [...table().map((row) => row.zone), ...ETC].sort(),
    table: () => ({ version: readVersion(directory), rows: table() }),
  }
}

/** Zones of no country: fixed offsets. The sign is POSIX's: Etc/GMT+5 is five hours west. */
const ETC: readonly string[] = [
  'Etc/GMT',
  'Etc/UTC',
  ...Array.from({ length: 12 }, (_, i) => `Etc/GMT+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `Etc/GMT-${i + 1}`),
]

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const tableRows = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))

const readRows = (directory: string): readonly ZoneRow[] => {
  const countries = new Map(
    tableRows(readText(join(directory, 'iso3166.tab'))).map(([code = '', name = '']) => [code, name]),
  )
  return tableRows(readText(join(directory, 'zone.tab'))).flatMap(([code = '', , zone = '', comment = '']) =>
    NAME.test(zone) ? [{ zone, country: countries.get(code) ?? code, comment }] : [],
  )
}

/** `2025b`, from the source file that Debian ships beside the compiled ones. */
const readVersion = (directory: string): string | null =>
  /^# version (\S+)/.exec(readText(join(directory, 'tzdata.zi')).slice(0, 100))?.[1] ??
  (/^\S+/.exec(readText(join(directory, '+VERSION')))?.[0] || null)
