import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskSourceFiles } from '../../../../src/adapters/files/source-files.ts'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import type { IntelSource } from '../../../../src/config/sections/intelligence.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import { createSourceLoader } from '../../../../src/intel/sources/loader.ts'
import type { SourceLoader } from '../../../../src/intel/sources/loader.ts'
import { csvFields } from '../../../../src/intel/sources/csv.ts'
import { parseSource } from '../../../../src/intel/sources/parse.ts'
import { createSourceSchedule } from '../../../../src/intel/sources/schedule.ts'
import type { IntelStore } from '../../../../src/store/repositories/intel.ts'
import { testEnv } from '../../../support/env.ts'
import { settle } from '../../../support/fake-clock.ts'

const { signal } = new AbortController()
let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let store: IntelStore
let service: IntelService
let loader: SourceLoader
let events: ApplianceEvent[]
let source: IntelSource
let written = 0
let onLoaded: () => void = () => undefined

const write = (...lines: readonly string[]): void => {
  writeFileSync(source.path, `${lines.join('\n')}\n`)
  // Two writes may fall into one tick of the file system's clock.
  utimesSync(source.path, 1_000_000 + ++written, 1_000_000 + written)
}
const levelOf = async (url: string) => (await service.lookup.urls([url], signal)).get(url)?.level

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-sources-'))
  writer = inlineWriter()
  env = testEnv('2022-03-30T00:20:10Z')
  store = await createIntelStore(writer, join(home, 'intel.db'))
  service = createIntelService({ store, env })
  events = []
  const bus = createEventBus(env.clock)
  bus.subscribe((_, e) => events.push(e))
  loader = createSourceLoader({
    store,
    files: diskSourceFiles,
    feeds: { get: async () => Promise.reject(new Error('no feed here')) },
    clock: env.clock,
    events: bus,
    locate: (path) => path,
    loaded: async () => {
      await service.catchUp()
      onLoaded()
    },
  })
  source = {
    name: 'feed',
    enabled: true,
    format: 'lines',
    path: join(home, 'feed.txt'),
    key: null,
    level: 'untrusted',
    category: 'Malware',
    refreshSeconds: 60,
  }
})
afterEach(async () => {
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

describe('a source file', () => {
  it('is read, replaced as a whole, and what it says stays dated from the first time', async () => {
    write('# comment', '', 'http://a.example/x', 'b.example')
    expect(await loader.load(source, signal, false)).toBe(2)
    expect(events).toEqual([{ type: 'intel.source-loaded', source: 'feed', indicators: 2 }])
    expect(await levelOf('http://www.b.example/')).toBe('untrusted')
    const first = env.clock.now()
    await env.clock.advance(86_400_000)
    write('b.example', 'c.example')
    expect(await loader.load(source, signal, false)).toBe(2)
    expect(await levelOf('http://a.example/x')).toBe('unknown')
    expect(service.verdicts.show('b.example')).toMatchObject([{ source: 'feed', category: 'Malware', asOf: first }])
    expect(loader.status(source)).toMatchObject({ indicators: 2, loadedAt: env.clock.now(), error: null })
  })

  it('is not read again while it is the same', async () => {
    write('a.example')
    await loader.load(source, signal, false)
    await loader.load(source, signal, false)
    expect(events).toHaveLength(1)
  })

  it('keeps the last good set when it is empty, much smaller, or not a list', async () => {
    write(...Array.from({ length: 20 }, (_, i) => `h${i}.example`))
    await loader.load(source, signal, false)
    for (const lines of [[], ['h0.example', 'h1.example'], ['<html>', 'not found']]) {
      write(...lines)
      await expect(loader.load(source, signal, false)).rejects.toThrow('the last good set is kept')
      expect(await levelOf('http://h7.example/')).toBe('untrusted')
    }
    rmSync(source.path)
    await expect(loader.load(source, signal, false)).rejects.toThrow('does not exist')
    expect(loader.status(source)).toMatchObject({ indicators: 20, error: `${source.path} does not exist.` })
    expect(events.filter((e) => e.type === 'alert.raised')).toHaveLength(4)
  })

  it('names the lines that cannot be used', async () => {
    write('a.example', 'com', 'b c')
    await expect(loader.load(source, signal, false)).rejects.toThrow(
      /line 2: the entry is a public suffix.* line 3: the entry holds a blank/,
    )
  })

  it('never quotes the file, which the operator need not be allowed to read', async () => {
    const canary = 'k3y/CANARY+base64='
    for (const lines of [
      [canary, `root:${canary}:0:0`],
      [`a.example,${canary}`, `a.example,,,${canary}`],
    ]) {
      write(...lines)
      const format = lines[0] === canary ? 'lines' : 'csv'
      const refused = await loader.load({ ...source, format }, signal, true).catch(String)
      expect(refused).toContain('cannot be used')
      expect(refused + JSON.stringify(events) + JSON.stringify(loader.status(source))).not.toContain('CANARY')
    }
  })

  it('turns delivered URLs into retrospections', async () => {
    await service.devices.enrol('420D4F36AAEBC009AAAA-B9E721891234')
    await service.retro.submit('420D4F36AAEBC009AAAA-B9E721891234', [
      { emailId: 'e-1', url: 'http://x.b.example/y', ref: null, keys: null },
    ])
    write('b.example')
    await loader.load(source, signal, false)
    const page = service.retro.page('420D4F36AAEBC009AAAA-B9E721891234', new Date(0), 10)
    expect(page.retros).toMatchObject([{ emailId: 'e-1', url: 'http://x.b.example/y' }])
  })

  it('is looked at every so often, and no longer counts once it is deleted from the configuration', async () => {
    const schedule = createSourceSchedule(env.clock, loader)
    const sourceNames = () => store.opinions.sourceNames().filter((n) => n !== 'operator')
    const nextLoad = (): Promise<void> => new Promise((resolve) => (onLoaded = resolve))
    write('a.example')
    const first = nextLoad()
    await schedule.apply([source], sourceNames())
    await first
    while (env.clock.waiting === 0) await settle()
    expect(await levelOf('http://a.example/')).toBe('untrusted')
    write('b.example')
    const second = nextLoad()
    await env.clock.advance(60_000)
    await second
    expect(await levelOf('http://b.example/')).toBe('untrusted')
    await schedule.apply([], sourceNames())
    expect(await levelOf('http://b.example/')).toBe('unknown')
    await schedule.stop()
  })
})

describe('a CSV source', () => {
  const csv = { name: 'f', format: 'csv', level: 'questionable', category: '' } as const
  it('gives level, category, age and reason, each of which may be left out', async () => {
    const { rows } = await parseSource('a.example,malicious,Phishing,3,"seen, twice"\r\nb.example\n', csv)
    expect(rows).toMatchObject([
      { key: 'a.example', level: 'awful', category: 'Phishing', ageDays: 3, reason: 'seen, twice' },
      { key: 'b.example', level: 'tainted', category: null, ageDays: null, reason: 'listed by f' },
    ])
  })
  it('refuses unknown levels, ages and open quotes', async () => {
    expect(await parseSource('a.example,awesome\nb.example,,,old\n"c.example', csv)).toMatchObject({
      rows: [],
      badLines: 3,
    })
  })
  it('reads fields as spreadsheets write them', () => {
    expect(csvFields('a, "b ""c""" ,,d')).toEqual(['a', 'b "c"', '', 'd'])
    expect(csvFields('')).toEqual([''])
    expect(csvFields('a,')).toEqual(['a', ''])
  })
})
