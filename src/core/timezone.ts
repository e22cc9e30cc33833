/** What a zone's clock shows at an instant. */
export interface ZoneOffset {
  /** Seconds east of UTC. */
  readonly offsetSeconds: number
  /** The letters of the system's zone file: `EDT`, `CET`; a zone without letters gives `+03`. */
  readonly abbreviation: string
}

/** The system's zone files behind a port; adapters/zoneinfo reads them. */
export interface TimeZones {
  /** Null when the system has no such zone. */
  at(zone: string, instant: Date): ZoneOffset | null
  /** Continents, countries and zones for `settz`; names as in the tz database. */
  list(): readonly string[]
  /** The tz database's version (`2025b`) and which country each zone is in; absent where no table is at hand. */
  table?(): { readonly version: string | null; readonly rows: readonly ZoneRow[] }
}

/** A row of the system's zone.tab. */
export interface ZoneRow {
  readonly zone: string
  /** `United States` */
  readonly country: string
  /** `Eastern (most areas)`; empty where the country has one zone. */
  readonly comment: string
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const two = (n: number): string => String(n).padStart(2, '0')

/** `Tue Mar 29 20:20:24 2022`, the day of the month padded to two with a blank (reference/README.md). */
export const stamp = (instant: Date, offsetSeconds: number): string => {
  const d = new Date(instant.getTime() + offsetSeconds * 1000)
  return (
    `${DAYS[d.getUTCDay()]} ${MONTHS[d.getUTCMonth()]} ${String(d.getUTCDate()).padStart(2)} ` +
    `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} ${d.getUTCFullYear()}`
  )
}

/** `20220329T202010`, as log and configuration file names carry it. */
export const fileStamp = (instant: Date, offsetSeconds: number): string =>
  new Date(instant.getTime() + offsetSeconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')
