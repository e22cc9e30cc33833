import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { intelligence } from '../../../../src/config/sections/intelligence.ts'
import type { IntelSource } from '../../../../src/config/sections/intelligence.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import { DNS_LIST_FORMS } from '../../../../src/intel/sources/dns-codes.ts'
import { createDnsLists } from '../../../../src/intel/sources/dns-lists.ts'
import type { DnsLists } from '../../../../src/intel/sources/dns-lists.ts'
import { TestConfig } from '../../../support/config-reader.ts'
import { testEnv } from '../../../support/env.ts'
import { settle } from '../../../support/fake-clock.ts'

const { signal } = new AbortController()
const ZONE = 'dbl.test'
let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let events: ApplianceEvent[]
let lists: DnsLists
let service: IntelService
/** By name; what is not there does not exist, and null is never answered. */
let zone: Map<string, string | null>
let asked: string[]

const list = (over: Partial<IntelSource> = {}): IntelSource => ({
  name: 'dbl',
  enabled: true,
  format: 'dns-dbl',
  path: ZONE,
  key: null,
  level: 'untrusted',
  category: '',
  refreshSeconds: 300,
  ...over,
})
const look = async (...urls: readonly string[]) => [...(await service.lookup.urls(urls, signal)).values()]
const alerts = (): readonly string[] => events.flatMap((e) => (e.type === 'alert.raised' ? [e.text] : []))
const serve = (domain: string, answer: string | null): void => void zone.set(`${domain}.${ZONE}`, answer)

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-dns-lists-'))
  writer = inlineWriter()
  env = testEnv('2022-03-30T00:20:10Z')
  events = []
  asked = []
  zone = new Map([[`dbltest.com.${ZONE}`, '127.0.1.2']])
  const bus = createEventBus(env.clock)
  bus.subscribe((_, e) => events.push(e))
  lists = createDnsLists({
    clock: env.clock,
    events: bus,
    resolver: {
      resolve: async (name) => {
        asked.push(name)
        const answer = zone.get(name)
        if (answer === null) return await new Promise(() => undefined)
        if (answer === undefined) throw Object.assign(new Error(`ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
        return [answer]
      },
      reverse: async () => [],
    },
  })
  service = createIntelService({ store: await createIntelStore(writer, join(home, 'intel.db')), env, lists })
})
afterEach(async () => {
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

describe('the codes of DNS lists', () => {
  it.each([
    ['dns-dbl', '127.0.1.2', 'poor'],
    ['dns-dbl', '127.0.1.4', 'awful'],
    ['dns-dbl', '127.0.1.104', 'tainted'],
    ['dns-dbl', '127.0.1.103', 'weak'],
    ['dns-dbl', '127.0.1.77', 'weak'],
    ['dns-surbl', '127.0.0.8', 'awful'],
    ['dns-surbl', '127.0.0.64', 'poor'],
    ['dns-surbl', '127.0.0.192', 'poor'],
    ['dns-surbl', '127.0.0.128', 'tainted'],
    ['dns-surbl', '127.0.0.2', 'weak'],
  ] as const)('%s: %s is %s', (form, address, level) => {
    expect(DNS_LIST_FORMS[form].read(address)).toMatchObject({ kind: 'listed', level })
  })

  it.each([
    ['dns-dbl', '127.255.255.254'],
    ['dns-dbl', '127.255.255.9'],
    ['dns-dbl', '127.0.1.255'],
    ['dns-dbl', '127.0.0.1'],
    ['dns-dbl', '192.0.2.1'],
    ['dns-surbl', '127.0.0.1'],
    ['dns-surbl', '127.0.1.2'],
    ['dns-surbl', '127.255.255.255'],
  ] as const)('%s: %s is no listing', (form, address) => {
    expect(DNS_LIST_FORMS[form].read(address)).toMatchObject({ kind: 'refused' })
  })
})

describe('a DNS list', () => {
  it('is not asked before its test point has been answered', async () => {
    serve('bad.example', '127.0.1.4')
    expect(await look('http://bad.example/')).toMatchObject([{ level: 'unknown' }])
    expect(asked).toEqual([])
    await lists.check(list(), signal)
    expect(asked).toEqual([`dbltest.com.${ZONE}`, `invalid.${ZONE}`])
    expect(await look('http://bad.example/')).toMatchObject([{ level: 'untrusted', score: -9, category: 'Phishing' }])
  })

  it('is asked for registrable domains once, never for addresses and the top domains', async () => {
    await lists.check(list(), signal)
    asked = []
    serve('bad.example', '127.0.1.2')
    const verdicts = await look(
      'http://a.bad.example/x',
      'http://b.bad.example/',
      'http://192.0.2.7/',
      'http://3221225991/',
      'http://www.google.com/',
      'http://user.github.io/',
      'http://localhost/',
    )
    expect(asked).toEqual([`bad.example.${ZONE}`, `user.github.io.${ZONE}`])
    expect(verdicts.map((v) => v.level)).toEqual(['questionable', 'questionable', ...Array<string>(5).fill('unknown')])
    await look('http://c.bad.example/', 'http://user.github.io/y')
    expect(asked).toHaveLength(2)
    await env.clock.advance(600_001)
    await look('http://c.bad.example/', 'http://user.github.io/y')
    expect(asked.slice(2)).toEqual([`user.github.io.${ZONE}`])
  })

  it('is explained with its code, and the operator goes before it', async () => {
    await lists.check(list(), signal)
    serve('bad.example', '127.0.1.5')
    expect(await service.verdicts.explain('http://www.bad.example/x')).toMatchObject({
      verdict: 'Untrusted',
      opinions: [{ indicator: 'bad.example', source: 'dbl', reason: 'listed as malware (127.0.1.5)' }],
    })
    await service.verdicts.set('bad.example', 'clean', { user: 'admin' })
    expect(await service.verdicts.explain('http://www.bad.example/x')).toMatchObject({
      verdict: 'Favorable',
      opinions: [{ source: 'operator' }, { source: 'dbl' }],
    })
  })

  it('that is slow holds an answer up no longer than its share, and is heard by the next message', async () => {
    await lists.check(list(), signal)
    serve('slow.example', null)
    serve('bad.example', '127.0.1.4')
    const verdicts = look('http://slow.example/', 'http://bad.example/')
    await env.clock.advance(750)
    expect((await verdicts).map((v) => v.level)).toEqual(['unknown', 'untrusted'])
    await env.clock.advance(5000)
    serve('slow.example', '127.0.1.4')
    expect(await look('http://slow.example/')).toMatchObject([{ level: 'untrusted' }])
  })

  it('that blocks us is never believed: it goes out of use with a reason, and comes back by itself', async () => {
    await lists.check(list(), signal)
    serve('a.example', '127.0.1.4')
    expect(await look('http://a.example/')).toMatchObject([{ level: 'untrusted' }])
    serve('b.example', '127.255.255.255')
    expect(await look('http://b.example/', 'http://a.example/')).toMatchObject([
      { level: 'unknown' },
      { level: 'unknown' },
    ])
    expect(lists.status(list()).error).toBe('too many questions were asked (127.255.255.255)')
    asked = []
    await look('http://c.example/')
    expect(asked).toEqual([])
    await lists.check(list(), signal)
    expect(lists.status(list())).toMatchObject({ error: null, checkedAt: env.clock.now() })
    expect(await look('http://a.example/')).toMatchObject([{ level: 'untrusted' }])
    expect(alerts()).toEqual([
      "The intelligence source 'dbl' is not in use: too many questions were asked (127.255.255.255)",
      "The intelligence source 'dbl' answers, and is in use again.",
    ])
  })

  it('that never answers is left alone until its next check', async () => {
    await lists.check(list(), signal)
    const urls = Array.from({ length: 5 }, (_, i) => `http://h${i}.example/`)
    for (let i = 0; i < 5; i++) serve(`h${i}.example`, null)
    const verdicts = look(...urls)
    await settle()
    await env.clock.advance(5000)
    await verdicts
    expect(lists.status(list()).error).toBe('5 questions in a row were not answered')
    expect(lists.inUse()).toBe(false)
  })

  it.each<[string, string | undefined, string | undefined, RegExp]>([
    ['does not hold its test point', undefined, undefined, /dbltest.com is not listed/],
    ['refuses us', '127.255.255.254', undefined, /public or unnamed resolvers/],
    ['lists everything', '127.0.1.2', '127.0.1.2', /lists what no list holds/],
    ['is a parked zone', '192.0.2.80', '192.0.2.80', /makes answers up/],
  ])('that %s is not used from the start', async (_, test, never, reason) => {
    zone.clear()
    if (test !== undefined) serve('dbltest.com', test)
    if (never !== undefined) serve('invalid', never)
    await expect(lists.check(list(), signal)).rejects.toThrow(reason)
    expect(lists.inUse()).toBe(false)
    await lists.check(list(), signal).catch(() => undefined)
    expect(alerts()).toHaveLength(1)
  })

  it('is asked at most so many questions a second', async () => {
    await lists.check(list(), signal)
    asked = []
    await look(...Array.from({ length: 300 }, (_, i) => `http://h${i}.example/`))
    expect(asked).toHaveLength(200)
    await env.clock.advance(1000)
    await look(...Array.from({ length: 300 }, (_, i) => `http://h${i}.example/`))
    expect(asked).toHaveLength(250)
  })

  it('has its key in the zone, and no message shows it', async () => {
    const keyed = list({ path: '{key}.dq.test', key: 'SECRETKEY' })
    await expect(lists.check(keyed, signal)).rejects.toThrow('not in use')
    expect(asked).toEqual(['dbltest.com.SECRETKEY.dq.test'])
    expect(JSON.stringify([events, lists.status(keyed)])).not.toContain('SECRETKEY')
  })

  it('must be a zone in the configuration', () => {
    const problems = (over: Partial<IntelSource>) =>
      intelligence.verify?.({ ...intelligence.defaults, sources: [list(over)] }, new TestConfig()).map((i) => i.message)
    expect(problems({})).toEqual([])
    expect(problems({ path: '{key}.dbl.dq.spamhaus.net', key: 'abc' })).toEqual([])
    for (const path of ['dbl', '/etc/passwd', 'https://x.example/', 'a..b', '{key}'])
      expect(problems({ path, key: 'abc' })).toEqual([expect.stringContaining('must name the zone')])
  })
})
