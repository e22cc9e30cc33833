import { countryName } from '../config/countries.ts'
import { geolocation } from '../config/sections/geolocation.ts'
import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import type { Clock } from '../core/clock.ts'
import { errorText, UserError } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'

/** A country database in memory. */
export interface CountryFile {
  /** What the file says it is: `GeoLite2-Country`. */
  readonly type: string
  readonly builtAt: Date
  /** Two letters; null = the file has nothing about the address. Never throws. */
  codeOf(address: string): string | null
}

/** Where country databases lie. */
export interface CountryFiles {
  /** @throws Error when it is absent, too large, or no such database. */
  open(name: string): Promise<CountryFile>
  /** Changes whenever the file does; null = there is none. Never rejects. */
  stamp(name: string): Promise<string | null>
}

/** Where an address is. `unknown`: the database does not say, or cannot be read. */
export type Location =
  | { readonly kind: 'country'; readonly code: string; readonly name: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not enabled' }

export interface GeolocationStatus {
  /** '' = none is configured. */
  readonly file: string
  readonly loaded: Pick<CountryFile, 'type' | 'builtAt'> | null
  /** Why it is not loaded, or not loaded anew. */
  readonly problem: string | null
}

export interface Geolocation {
  readonly consumer: ConfigConsumer<(typeof geolocation)['defaults']>
  /** Answers at once, from memory. */
  of(this: void, address: string): Location
  /** Reads the file when it is not read yet or has changed. Never rejects. */
  refresh(): Promise<GeolocationStatus>
}

const CHECK_MS = 30_000
const UNKNOWN: Location = { kind: 'unknown' }

/** As the connection's line shows it. */
export const locationText = (location: Location): string =>
  location.kind === 'country' ? location.name : location.kind

/** Countries of addresses by a local database, which is read again when its file changes. */
export const createGeolocation = (deps: {
  readonly config: ConfigReader
  readonly files: CountryFiles
  readonly clock: Clock
  readonly events: EventBus
}): Geolocation => {
  const { config, files, clock, events } = deps
  let loaded: CountryFile | null = null
  let loadedFrom = ''
  let stamp: string | null = null
  let problem: string | null = null
  let checkedAt = -Infinity
  let checking: Promise<void> | null = null

  const fail = (file: string, why: string): void => {
    if (problem !== why)
      events.publish({ type: 'system.warning', text: `The country database ${file} cannot be read: ${why}.` })
    problem = why
  }

  const check = async (file: string): Promise<void> => {
    if (file !== loadedFrom) {
      loaded = null
      stamp = null
      problem = null
      loadedFrom = file
    }
    if (file === '') return
    const now = await files.stamp(file)
    // One that has gone stays in memory: its data is as good as before.
    if (now === null) return fail(file, 'there is no such file in the configuration directory')
    if (now === stamp) return
    try {
      loaded = await files.open(file)
      problem = null
    } catch (error) {
      fail(file, errorText(error))
    }
    stamp = now
  }

  /** One at a time; `file` is that of the newest configuration. */
  const look = async (file: string): Promise<void> => {
    while (checking) await checking
    checkedAt = clock.monotonic()
    checking = check(file).finally(() => {
      checking = null
    })
    await checking
  }

  return {
    of: (address) => {
      const { file } = config.get(geolocation)
      if (file === '') return { kind: 'not enabled' }
      if (!checking && (file !== loadedFrom || clock.monotonic() - checkedAt >= CHECK_MS)) void look(file)
      const code = file === loadedFrom ? (loaded?.codeOf(address) ?? null) : null
      return code === null ? UNKNOWN : { kind: 'country', code, name: countryName(code) ?? code }
    },
    refresh: async () => {
      const { file } = config.get(geolocation)
      await look(file)
      return { file, loaded, problem }
    },
    consumer: {
      section: geolocation,
      prepare: async ({ file }) => {
        if (file === '') return []
        try {
          await files.open(file)
          return []
        } catch (error) {
          const message = `The country database ${file} cannot be used: ${error instanceof UserError ? error.message : `${errorText(error)}.`}`
          return [{ path: 'geolocation.file', message, severity: 'error' }]
        }
      },
      apply: async ({ file }) => await look(file),
    },
  }
}
