import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCountryFiles } from '../../../../src/adapters/mmdb/country-files.ts'
import { mmdb } from '../../../support/mmdb.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmdb-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, bytes: Buffer): string => {
  writeFileSync(join(folder, name), bytes)
  return name
}

describe('a country database', () => {
  it('says the country of IPv4 and IPv6 addresses, in the shapes of its publishers', async () => {
    const name = file(
      'countries.mmdb',
      mmdb({
        '192.0.2.0/24': { country: { iso_code: 'DE', names: { en: 'Germany' } } },
        '198.51.100.0/25': { country_code: 'US' },
        '203.0.113.7/32': { country: 'fr' },
        '2001:db8::/32': { registered_country: { iso_code: 'JP' } },
        '192.88.99.0/24': { country: { iso_code: '<script>' } },
      }),
    )
    const read = await createCountryFiles(folder).open(name)
    const asked = [
      '192.0.2.1',
      '198.51.100.127',
      '198.51.100.128',
      '203.0.113.7',
      '2001:db8::1',
      '2001:db9::1',
      '192.88.99.1',
      'fe80::1%eth0',
      'no address',
    ]
    expect(asked.map((a) => read.codeOf(a))).toEqual(['DE', 'US', null, 'FR', 'JP', null, null, null, null])
    expect(read.type).toBe('Test-Country')
    expect(read.builtAt.toISOString()).toBe('2020-09-13T12:26:40.000Z')
  })

  it('is refused with the reason when it is none, is absent, a folder, or too large', async () => {
    const files = createCountryFiles(folder)
    await expect(files.open(file('text.mmdb', Buffer.from('no database')))).rejects.toThrow(
      'not in the MaxMind DB format',
    )
    await expect(files.open('absent.mmdb')).rejects.toThrow('there is no such file')
    mkdirSync(join(folder, 'folder'))
    await expect(files.open('folder')).rejects.toThrow('no plain file')
    truncateSync(join(folder, file('huge.mmdb', Buffer.alloc(1))), 268_435_457)
    await expect(files.open('huge.mmdb')).rejects.toThrow('larger than 256 MB')
  })

  it('that is damaged behind its index knows nothing, and does no harm', async () => {
    const whole = mmdb({ '192.0.2.0/24': { country: { iso_code: 'DE' } } })
    const at = whole.indexOf('iso_code')
    for (const byte of [0, 0x20, 0x7f, 0xe0, 0xff]) {
      const bytes = Buffer.from(whole)
      bytes.fill(byte, at - 4, at + 4)
      const read = await createCountryFiles(folder).open(file('damaged.mmdb', bytes))
      expect(read.codeOf('192.0.2.1')).toBeNull()
    }
  })

  it('has another stamp once it was replaced, and none when it is gone', async () => {
    const files = createCountryFiles(folder)
    const before = await files.stamp(file('stamp.mmdb', Buffer.from('one')))
    file('stamp.mmdb', Buffer.from('another'))
    expect(before).not.toBeNull()
    expect(await files.stamp('stamp.mmdb')).not.toBe(before)
    expect(await files.stamp('nothing.mmdb')).toBeNull()
  })
})
