import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parsePosixTz } from '../../../../src/adapters/zoneinfo/posix-tz.ts'
import { parseTzif } from '../../../../src/adapters/zoneinfo/tzif.ts'
import { zoneinfo } from '../../../../src/adapters/zoneinfo/zoneinfo.ts'

const zones = zoneinfo()

describe("the system's zone files", () => {
  it.each([
    ['America/New_York', '2022-03-29T23:43:48Z', -14_400, 'EDT'],
    ['America/New_York', '2022-03-13T06:59:59Z', -18_000, 'EST'],
    ['America/New_York', '2022-03-13T07:00:00Z', -14_400, 'EDT'],
    ['America/New_York', '2099-07-01T00:00:00Z', -14_400, 'EDT'],
    ['Europe/Berlin', '2099-12-01T00:00:00Z', 3600, 'CET'],
    ['Australia/Lord_Howe', '2099-01-01T00:00:00Z', 39_600, '+11'],
    ['Australia/Lord_Howe', '2099-07-01T00:00:00Z', 37_800, '+1030'],
    ['Asia/Tokyo', '2022-01-01T00:00:00Z', 32_400, 'JST'],
    ['Asia/Dubai', '2022-01-01T00:00:00Z', 14_400, '+04'],
    ['Etc/GMT', '2022-01-01T00:00:00Z', 0, 'GMT'],
    ['Etc/GMT+5', '2022-01-01T00:00:00Z', -18_000, '-05'],
  ])('say that %s at %s is %i seconds east, %s', (zone, at, offsetSeconds, abbreviation) => {
    expect(zones.at(zone, new Date(at))).toEqual({ offsetSeconds, abbreviation })
  })

  // Of the years to come the system's tables and those of a newer Node may think differently.
  it('agree with the runtime wherever it knows an offset', () => {
    const wrong: string[] = []
    for (const zone of [
      'America/Sao_Paulo',
      'Europe/Dublin',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'Asia/Kathmandu',
    ])
      for (let month = 0; month < 26 * 12; month++) {
        const at = new Date(Date.UTC(2000, month, 14, 3))
        const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
        const shown = format.formatToParts(at).find((p) => p.type === 'timeZoneName')?.value ?? ''
        const [, sign = '+', h = '0', m = '0'] = /GMT(?:([+-])(\d+):(\d+))?/.exec(shown) ?? []
        const seconds = (sign === '-' ? -1 : 1) * (Number(h) * 3600 + Number(m) * 60)
        if (zones.at(zone, at)?.offsetSeconds !== seconds) wrong.push(`${zone} ${at.toISOString()} ${shown}`)
      }
    expect(wrong).toEqual([])
  })

  it.each(['../../../etc/passwd', '/etc/localtime', 'Europe/../../x', 'Nowhere/None', '', 'zone.tab', 'posixrules\0'])(
    'give nothing for %j',
    (zone) => {
      expect(zones.at(zone, new Date(0))).toBeNull()
    },
  )

  it('list zones by country, and the fixed offsets', () => {
    expect(zones.list()).toContain('Etc/GMT-14')
    expect(zones.table?.().rows).toContainEqual(expect.objectContaining({ zone: 'Europe/Berlin', country: 'Germany' }))
  })

  it('live with a directory that has no tables', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tz-'))
    writeFileSync(join(folder, 'Broken'), 'TZif but short')
    const empty = zoneinfo(folder)
    expect(empty.at('Broken', new Date(0))).toBeNull()
    expect(empty.table?.()).toEqual({ version: null, rows: [] })
    rmSync(folder, { recursive: true })
  })

  it('refuse what is no zone file', () => {
    expect(() => parseTzif(Buffer.alloc(100))).toThrow('not a compiled zone file')
  })
})

describe('POSIX rules', () => {
  it.each([
    ['EST5EDT,M3.2.0,M11.1.0', '2030-07-01T00:00:00Z', 'EDT'],
    ['IST-1GMT0,M10.5.0,M3.5.0/1', '2030-01-01T00:00:00Z', 'GMT'],
    ['<-03>3<-02>,M3.5.0/-1,M10.5.0/-0', '2030-06-01T00:00:00Z', '-02'],
    ['AAA0BBB,J60,J300', '2032-03-01T03:00:00Z', 'BBB'],
    ['AAA0BBB,59/0,300', '2032-02-29T00:00:00Z', 'BBB'],
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', '2030-01-01T00:00:00Z', 'AEDT'],
    ['UTC0', '2030-01-01T00:00:00Z', 'UTC'],
  ])('%s at %s is %s', (rule, at, abbreviation) => {
    expect(parsePosixTz(rule)?.(Date.parse(at) / 1000).abbreviation).toBe(abbreviation)
  })

  it.each(['', 'nonsense', 'E5', 'EST5EDT,M13', 'EST5EDT,M3.2.0'])('refuse %j', (rule) => {
    expect(parsePosixTz(rule)).toBeNull()
  })
})
