import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isIP } from 'node:net'
import type { CountryFile, CountryFiles } from '../../services/geolocation.ts'

/* Country databases in the MaxMind DB format: GeoLite2, GeoIP2, DB-IP, IPinfo and others of their shape. */

/** The largest free databases with cities are near 130 MB; the whole file is held in memory. */
const MAX_BYTES = 268_435_456
const CODE = /^[A-Z]{2}$/

type Record_ = Readonly<Record<string, unknown>>
const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record_)[name] : undefined

/** `country.iso_code` (MaxMind, DB-IP), `country_code` (ip-location-db) or `country` (IPinfo); null = none of them. */
const codeIn = (found: unknown): string | null => {
  const given = [
    field(field(found, 'country'), 'iso_code'),
    field(found, 'country_code'),
    field(found, 'country'),
    field(field(found, 'registered_country'), 'iso_code'),
  ].find((value) => typeof value === 'string' && CODE.test(value.toUpperCase()))
  return typeof given === 'string' ? given.toUpperCase() : null
}

/** At most MAX_BYTES, also when the file grows meanwhile. */
const readWhole = async (path: string): Promise<Buffer> => {
  const file = await open(path, 'r')
  try {
    const about = await file.stat()
    if (!about.isFile()) throw new Error('it is no plain file')
    if (about.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1_048_576} MB`)
    const bytes = Buffer.allocUnsafeSlow(about.size)
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
      if (bytesRead === 0) throw new Error('it became shorter while it was read')
      at += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

export const createCountryFiles = (directory: string): CountryFiles => ({
  stamp: async (name) => {
    try {
      const { mtimeMs, size, ino } = await stat(join(directory, name))
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      return null
    }
  },
  open: async (name): Promise<CountryFile> => {
    const bytes = await readWhole(join(directory, name)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('there is no such file in the configuration directory') : error
    })
    const { Reader } = await import('mmdb-lib')
    let reader
    try {
      reader = new Reader(bytes)
    } catch {
      throw new Error('it is not in the MaxMind DB format')
    }
    const read = reader
    const { databaseType, buildEpoch } = read.metadata
    return {
      type: databaseType,
      builtAt: buildEpoch,
      codeOf: (address) => {
        if (isIP(address) === 0) return null
        try {
          return codeIn(read.get(address.replace(/%.*$/, '')))
        } catch {
          // A damaged record is no reason to lose a client; an IPv4 database knows nothing of IPv6.
          return null
        }
      },
    }
  },
})
