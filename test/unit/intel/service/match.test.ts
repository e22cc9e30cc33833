import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from '../../../../src/adapters/sqlite/better-sqlite3.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { INTEL_MIGRATIONS } from '../../../../src/adapters/sqlite/intel-schema.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import { parseSource } from '../../../../src/intel/sources/parse.ts'
import { canonicalUrl } from '../../../../src/intel/url/canonical.ts'
import { urlRef } from '../../../../src/intel/url/hash.ts'
import { watchKeys } from '../../../../src/intel/url/watch-keys.ts'
import type { IntelStore, NewObserved } from '../../../../src/store/repositories/intel.ts'
import { testEnv } from '../../../support/env.ts'

const SERIAL = '420D4F36AAEBC009AAAA-B9E721891234'
const HOUR = 3600_000
const BY = { user: 'admin' }

let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let store: IntelStore
let service: IntelService

const open = async (): Promise<void> => {
  writer = inlineWriter({ durable: false })
  store = await createIntelStore(writer, join(home, 'intel.db'))
  service = createIntelService({ store, env })
  await service.resume()
}
const restart = async (): Promise<void> => {
  await writer.close()
  await open()
}
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-match-'))
  env = testEnv('2022-03-30T00:20:10Z')
  await open()
})
afterEach(async () => {
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

const plain = (url: string, emailId = 'e-1'): NewObserved => ({ emailId, url, ref: null, keys: null })
const hashed = (url: string, emailId = 'e-1'): NewObserved => {
  const canonical = canonicalUrl(url)
  if (canonical === null) throw new Error(url)
  return { emailId, url: null, ref: urlRef(url), keys: watchKeys(canonical) }
}
const submit = (...items: readonly NewObserved[]) => service.retro.submit(SERIAL, items)
const page = () => service.retro.page(SERIAL, new Date(0), 1000).retros
/** A source's whole set, as a feed brings it. */
const load = async (source: string, lines: readonly string[]): Promise<void> => {
  const { rows } = await parseSource(lines.join('\n'), {
    name: source,
    format: 'lines',
    level: 'untrusted',
    category: '',
  })
  const replacement = await store.opinions.replace(source, env.clock.now())
  for (let at = 0; at < rows.length; at += 500) await replacement.add(rows.slice(at, at + 500))
  await replacement.finish('x', null)
}

const DEEP = 'http://a.b.c.d.e.f.example.com/one/two/three/four/five?q=1'

describe.each([
  ['as found', plain],
  ['as hashes', hashed],
])('a URL submitted %s', (_, item) => {
  it.each([
    [DEEP, 'a.b.c.d.e.f.example.com/one/two/three/four/five?q=1'],
    [DEEP, 'http://example.com/one/two/'],
    [DEEP, 'http://d.e.f.example.com/one/'],
    [DEEP, 'http://f.example.com/'],
    [DEEP, 'http://example.com/one/two/three/four/five'],
    [DEEP, 'c.d.e.f.example.com'],
    [DEEP, 'b.c.d.e.f.example.com'],
    [DEEP, 'example.com'],
    ['http://user:x@EXAMPLE.com:8080/%61/../b#f', 'example.com/b'],
    ['http://evil.github.io/x', 'evil.github.io'],
    ['http://3232235777/x', '192.168.1.1'],
    ['http://[2001:db8::1]/x', 'http://[2001:db8:0::1]/'],
    ['http://intranet/x/', 'http://intranet/x/'],
  ])('%s turns with %s', async (url, indicator) => {
    await submit(item(url))
    expect(await service.verdicts.set(indicator, 'malicious', BY)).toMatchObject({ retrospections: 1 })
    expect(page()).toMatchObject([{ emailId: 'e-1', ref: urlRef(url), withdrawn: false }])
  })

  it.each([
    [DEEP, 'http://example.com/two/'],
    [DEEP, 'http://a.b.c.d.e.f.example.com/one'],
    [DEEP, 'http://a.b.c.d.e.f.example.com/one/two/three/four/'],
    [DEEP, 'x.example.com'],
    ['http://evil.github.io/x', 'http://github.io/'],
    ['http://evil.github.io/x', 'http://github.io/x'],
    ['http://evil.github.io/x', 'other.github.io'],
    ['http://a.blogspot.com/', 'http://blogspot.com/'],
  ])('%s does not turn with %s', async (url, indicator) => {
    await submit(item(url))
    expect(await service.verdicts.set(indicator, 'malicious', BY)).toMatchObject({ retrospections: 0 })
    expect(page()).toEqual([])
  })

  it("does not turn against the operator's own good word, and does when that is taken back", async () => {
    await submit(item(DEEP))
    await service.verdicts.set('example.com', 'trusted', BY)
    await load('feed', ['f.example.com'])
    expect(await service.retro.catchUp()).toBe(0)
    expect(await service.verdicts.remove('example.com', 'admin')).toMatchObject({ retrospections: 1 })
  })

  it('is withdrawn when its verdict turns back, and malicious again when that turns again', async () => {
    await submit(item(DEEP), item('http://stays.example/'))
    await load('feed', ['f.example.com', 'stays.example'])
    await service.retro.catchUp()
    await env.clock.advance(HOUR)
    await load('feed', ['stays.example'])
    expect(await service.retro.catchUp()).toBe(0)
    expect(page()).toMatchObject([
      { ref: urlRef('http://stays.example/'), withdrawn: false },
      { ref: urlRef(DEEP), withdrawn: true, at: new Date('2022-03-30T01:20:10Z') },
    ])
    await env.clock.advance(HOUR)
    await load('feed', ['stays.example', 'example.com'])
    await service.retro.catchUp()
    expect(page()[1]).toMatchObject({ withdrawn: false, at: new Date('2022-03-30T02:20:10Z') })
  })

  it('that was submitted twice, as after a lost answer, has one entry', async () => {
    await submit(item(DEEP), item(DEEP))
    await submit(item(DEEP))
    await service.verdicts.set('example.com', 'malicious', BY)
    expect(page()).toHaveLength(1)
  })
})

describe('many indicators at once', () => {
  const COUNT = 900
  const host = (n: number): string => `h${n}.s${n % 100}.example`
  const urls = Array.from({ length: COUNT }, (_, n) => plain(`http://${host(n)}/p?n=${n}`, `e-${n}`))
  const bad = Array.from({ length: COUNT / 2 }, (_, n) => host(2 * n))

  beforeEach(async () => {
    for (let at = 0; at < COUNT; at += 300) {
      await submit(...urls.slice(at, at + 300))
      await env.clock.advance(7 * HOUR)
    }
  })

  it('turn each URL that they cover once, in time order, over all partitions', async () => {
    await load('feed', bad)
    expect(await service.retro.catchUp()).toBe(COUNT / 2)
    const retros = service.retro.page(SERIAL, new Date(0), COUNT).retros
    const stamps = retros.map((r) => r.at.getTime())
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b))
    expect(new Set(retros.map((r) => r.emailId))).toEqual(
      new Set(urls.filter((_, n) => n % 2 === 0).map((u) => u.emailId)),
    )
    expect(service.retro.waiting()).toBe(0)
  })

  it('go on after a restart in the middle, each exactly once', async () => {
    await load('feed', bad)
    let room = 1
    const record: typeof store.retro.record = (items) => written(items)
    const written = store.retro.record.bind(store.retro)
    Object.assign(store.retro, {
      record: async (items: Parameters<typeof record>[0]) => {
        if (room-- === 0) throw new Error('the machine stops')
        return await record(items)
      },
    })
    await expect(service.retro.catchUp()).rejects.toThrow('the machine stops')
    const before = page().length
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(COUNT / 2)
    await restart()
    expect(await service.retro.catchUp()).toBe(COUNT / 2 - before)
    expect(service.retro.page(SERIAL, new Date(0), COUNT).retros).toHaveLength(COUNT / 2)
    expect(await service.retro.catchUp()).toBe(0)
  })

  it('are found when the set was replaced, and the crash came before the old one was cleared away', async () => {
    await load('feed', bad)
    await service.retro.catchUp()
    const replacement = await store.opinions.replace('feed', env.clock.now())
    await replacement.add([])
    const db = new Database(join(home, 'intel.db'))
    db.exec(`UPDATE sources SET generation = generation + 1 WHERE name = 'feed'`)
    db.close()
    await restart()
    await service.retro.catchUp()
    expect(service.retro.page(SERIAL, new Date(0), COUNT).retros.every((r) => r.withdrawn)).toBe(true)
  })

  it('that are not whole yet change nothing', async () => {
    const { rows } = await parseSource(bad.join('\n'), {
      name: 'feed',
      format: 'lines',
      level: 'untrusted',
      category: '',
    })
    const replacement = await store.opinions.replace('feed', env.clock.now())
    await replacement.add(rows)
    expect(await service.retro.catchUp()).toBe(0)
    await replacement.abandon()
    expect(await service.retro.catchUp()).toBe(0)
    expect(page()).toEqual([])
  })
})

it('a domain that thousands of URLs lead to is found page by page', async () => {
  for (let n = 0; n < 3; n++)
    await submit(...Array.from({ length: 700 }, (_, i) => plain(`http://www.big.example/${n}/${i}`, `e-${n}-${i}`)))
  expect(await service.verdicts.set('big.example', 'malicious', BY)).toMatchObject({ retrospections: 2100 })
})

it('what is older than 168 hours does not turn any more, and goes with its partition a day later', async () => {
  await submit(plain('http://old.example/'))
  await env.clock.advance(169 * HOUR)
  expect(await service.verdicts.set('old.example', 'malicious', BY)).toMatchObject({ retrospections: 0 })
  await service.retro.prune()
  expect(store.observed.count(SERIAL)).toBe(1)
  await env.clock.advance(30 * HOUR)
  await service.retro.prune()
  expect(store.observed.count(SERIAL)).toBe(0)
  expect(store.observed.partitions()).toEqual([])
})

it('goes on when another process drops a partition between two reads', async () => {
  await submit(plain('http://old.example/'))
  await env.clock.advance(199 * HOUR)
  await submit(plain('http://sub.old.example/', 'e-2'))
  const [oldest, newest] = store.observed.partitions() as [number, number]
  // As read before the other process pruned.
  const partitions = store.observed.partitions.bind(store.observed)
  await service.retro.prune()
  expect(partitions()).toEqual([newest])
  Object.assign(store.observed, { partitions: () => [oldest, newest] })
  expect(await service.verdicts.set('old.example', 'malicious', BY)).toMatchObject({ retrospections: 1 })
  expect(store.observed.unindexed(oldest, 0, 1)).toEqual([])
  await store.observed.index(oldest, BigInt64Array.of(1n, 1n))
})

it('what arrives in a partition that was dropped, as after a leap of the clock, is kept', async () => {
  await submit(plain('http://a.example/'))
  await env.clock.advance(199 * HOUR)
  await service.retro.prune()
  const [row] = await store.observed.append(SERIAL, [plain('http://b.example/')], new Date('2022-03-30T00:20:10Z'))
  expect(row?.url).toBe('http://b.example/')
})

it('tells which opinion turned a URL', async () => {
  await submit(plain(DEEP))
  await load('urlhaus', ['f.example.com'])
  await service.retro.catchUp()
  expect(service.retro.causes(SERIAL, [{ emailId: 'e-1', ref: urlRef(DEEP) }])).toMatchObject([
    { source: 'urlhaus', indicator: 'f.example.com', reason: 'listed by urlhaus' },
  ])
})

it('a database from before hashes is brought over: verdicts, watched URLs and retrospections', async () => {
  await writer.close()
  rmSync(join(home, 'intel.db'))
  const db = new Database(join(home, 'intel.db'))
  db.exec(INTEL_MIGRATIONS[0] ?? '')
  db.pragma('user_version = 1')
  const at = env.clock.now().getTime()
  db.prepare(
    `INSERT INTO opinions VALUES ('domain', 'bad.example', 'operator', 0, 'awful', NULL, NULL, 'r', 'admin', ?)`,
  ).run(at)
  const submission = db.prepare(`INSERT INTO submissions VALUES (NULL, ?, ?, ?, '', ?, ?)`)
  submission.run(SERIAL, 'e-1', 'http://bad.example/', at, at)
  submission.run(SERIAL, 'e-2', 'http://later.example/', at, null)
  db.close()
  await open()
  expect(service.verdicts.show()).toMatchObject([{ indicator: 'bad.example', level: 'awful', by: 'admin' }])
  expect(page()).toMatchObject([{ emailId: 'e-1', url: 'http://bad.example/' }])
  expect(await service.verdicts.set('later.example', 'malicious', BY)).toMatchObject({ retrospections: 1 })
  await restart()
  expect(await service.retro.catchUp()).toBe(0)
})
