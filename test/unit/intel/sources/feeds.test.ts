import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { lookup } from 'node:dns'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskSourceFiles } from '../../../../src/adapters/files/source-files.ts'
import { createFeedFetch } from '../../../../src/adapters/http/feed-fetch.ts'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import type { IntelSource } from '../../../../src/config/sections/intelligence.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import { KNOWN_FEEDS } from '../../../../src/intel/sources/known.ts'
import { createSourceLoader } from '../../../../src/intel/sources/loader.ts'
import type { SourceLoader } from '../../../../src/intel/sources/loader.ts'
import { testEnv } from '../../../support/env.ts'
import { startFeedServer } from '../../../support/feed-server.ts'

const { signal } = new AbortController()
const HOUR = 3_600_000
let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let service: IntelService
let loader: SourceLoader
let newLoader: () => SourceLoader
let events: ApplianceEvent[]
let server: Awaited<ReturnType<typeof startFeedServer>>
let feeds: ReturnType<typeof createFeedFetch>
let asked: string[]

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-feeds-'))
  writer = inlineWriter()
  env = testEnv('2022-03-30T00:20:10Z')
  const store = await createIntelStore(writer, join(home, 'intel.db'))
  service = createIntelService({ store, env })
  events = []
  asked = []
  const bus = createEventBus(env.clock)
  bus.subscribe((_, e) => events.push(e))
  server = await startFeedServer(home)
  feeds = createFeedFetch({
    clock: env.clock,
    proxy: () => null,
    ca: server.caPem,
    userAgent: 'lychgate/test',
    resolveName: ((name: string, options: object, done: (error: null, found: unknown) => void) => {
      asked.push(name)
      done(null, 'all' in options && options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1')
    }) as typeof lookup,
  })
  newLoader = () =>
    createSourceLoader({
      store,
      files: diskSourceFiles,
      feeds,
      clock: env.clock,
      events: bus,
      locate: (path) => path,
      loaded: () => service.catchUp(),
    })
  loader = newLoader()
})
afterEach(async () => {
  await feeds.close()
  await server.stop()
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

const source = (over: Partial<IntelSource> = {}): IntelSource => ({
  name: 'feed',
  enabled: true,
  format: 'lines',
  path: `${server.url}/feed`,
  key: null,
  level: 'untrusted',
  category: 'Phishing',
  refreshSeconds: 900,
  ...over,
})
const load = (over: Partial<IntelSource> = {}) => loader.load(source(over), signal, false)
const serve = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): void =>
  server.answer((_, response) => response.writeHead(200, headers).end(body))
const levelOf = async (url: string) => (await service.lookup.urls([url], signal)).get(url)?.level
const alerts = (): readonly string[] => events.flatMap((e) => (e.type === 'alert.raised' ? [e.text] : []))

const URLHAUS = [
  '# abuse.ch URLhaus Database Dump (CSV - recent URLs only)\r',
  '# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\r',
  '"2131","2022-03-29 23:00:08","http://192.0.2.7:4455/bin.sh","online","2022-03-29 23:00:08","malware_download","32-bit,elf","https://urlhaus.abuse.ch/url/2131/","anon"\r',
  '"2130","2022-03-29 22:59:04","http://mal.example/a,b.exe","offline","","malware_download","None","https://urlhaus.abuse.ch/url/2130/","x"\r',
  '',
].join('\n')

describe.each<[IntelSource['format'], string, readonly string[], readonly string[]]>([
  ['lines', 'http://openphish.example/a\nhttp://b.example/login.php\n', ['http://openphish.example/a'], []],
  ['urlhaus-csv', URLHAUS, ['http://192.0.2.7/bin.sh', 'http://mal.example/a,b.exe'], []],
  [
    'urlhaus-json',
    JSON.stringify({
      2131: [
        {
          dateadded: '2022-03-29',
          url: 'http://mal.example/x',
          url_status: 'online',
          threat: 'malware_download',
          tags: ['elf'],
        },
      ],
    }),
    ['http://mal.example/x'],
    [],
  ],
  [
    'urlhaus-api',
    JSON.stringify({
      query_status: 'ok',
      urls: [
        {
          id: '223622',
          url: 'http://mal.example/api',
          url_status: 'online',
          date_added: '2022-03-29 23:00:08 UTC',
          threat: 'malware_download',
          tags: ['elf'],
        },
      ],
    }),
    ['http://mal.example/api'],
    [],
  ],
  [
    'phishtank-csv',
    'phish_id,url,phish_detail_url,submission_time,verified,verification_time,online,target\n' +
      '1,"http://p.example/a?x=1,2",http://d.example/,2022,yes,2022,yes,PayPal\n2,http://unverified.example/,http://d.example/,2022,no,,yes,Other\n',
    ['http://p.example/a?x=1,2'],
    ['http://unverified.example/'],
  ],
  [
    'phishtank-json',
    JSON.stringify([
      { phish_id: '1', url: 'http://p.example/a', verified: 'yes', online: 'yes', target: 'PayPal', details: [{}] },
      { phish_id: '2', url: 'http://unverified.example/', verified: 'no' },
    ]),
    ['http://p.example/a'],
    ['http://unverified.example/'],
  ],
  [
    'threatfox',
    JSON.stringify({
      query_status: 'ok',
      data: [
        { id: '1', ioc: 'http://t.example/c2', ioc_type: 'url', confidence_level: 100, malware_printable: 'Emotet' },
        { id: '2', ioc: '192.0.2.9:443', ioc_type: 'ip:port', confidence_level: 75 },
        { id: '3', ioc: 'rumour.example', ioc_type: 'domain', confidence_level: 10 },
        { id: '4', ioc: 'd41d8cd98f00b204e9800998ecf8427e', ioc_type: 'md5_hash', confidence_level: 100 },
      ],
    }),
    ['http://t.example/c2', 'http://192.0.2.9/'],
    ['http://rumour.example/'],
  ],
])('a feed in the form %s', (format, body, listed, unlisted) => {
  it('is read, and explained with its reason', async () => {
    serve(body, { 'content-type': 'text/plain' })
    await load({ format })
    for (const url of listed) expect(await levelOf(url)).toBe('untrusted')
    for (const url of unlisted) expect(await levelOf(url)).toBe('unknown')
    const [opinion] = (await service.verdicts.explain(listed[0] ?? '')).opinions
    expect(opinion).toMatchObject({ source: 'feed', category: 'Phishing', asOf: env.clock.now() })
    expect(loader.status(source()).error).toBe(null)
  })
})

describe('a feed', () => {
  it('of MISP is its manifest and the events that it names, newest first', async () => {
    const uuid = '5a0c2ea5-3d4c-4c1f-9b9c-0a1b2c3d4e5f'
    const attributes = [
      { uuid: 'a', type: 'url', value: 'http://misp.example/x', to_ids: true },
      { uuid: 'b', type: 'domain|ip', value: 'evil.example|192.0.2.1', to_ids: true },
      { uuid: 'c', type: 'domain', value: 'context.example', to_ids: false },
      { uuid: 'd', type: 'sha256', value: 'abc', to_ids: true },
    ]
    server.answer((request, response) => {
      if (request.url === '/f/manifest.json')
        response.end(JSON.stringify({ [uuid]: { info: 'x', timestamp: '5' }, '../../etc/passwd': { timestamp: '9' } }))
      else response.end(JSON.stringify({ Event: { uuid, info: 'Campaign', Attribute: attributes } }))
    })
    expect(await load({ format: 'misp', path: `${server.url}/f/manifest.json` })).toBe(2)
    expect(server.seen.map((r) => r.url)).toEqual(['/f/manifest.json', `/f/${uuid}.json`])
    expect((await service.verdicts.explain('evil.example')).opinions[0]?.reason).toBe(`MISP ${uuid}, Campaign`)
    expect(await levelOf('http://context.example/')).toBe('unknown')
  })

  it('is asked conditionally, and not read again while it is the same', async () => {
    server.answer((request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"', 'last-modified': 'Tue, 29 Mar 2022 23:00:00 GMT' }).end('a.example\n')
    })
    await load()
    await env.clock.advance(HOUR)
    expect(await load()).toBe(1)
    expect(server.seen[1]?.headers).toMatchObject({ 'if-modified-since': 'Tue, 29 Mar 2022 23:00:00 GMT' })
    expect(events.filter((e) => e.type === 'intel.source-loaded')).toHaveLength(1)
    expect(loader.status(source())).toMatchObject({ checkedAt: env.clock.now() })
    expect(loader.status(source()).loadedAt).not.toEqual(env.clock.now())
  })

  it('gets its key in a header or where the URL says, and no message ever shows it', async () => {
    serve('a.example\n')
    await load({ key: 'SECRET1' })
    await load({ name: 'b', key: 'SECRET2', path: `${server.url}/data/{key}/feed.csv` })
    expect(server.seen.map((r) => [r.url, r.headers['auth-key']])).toEqual([
      ['/feed', 'SECRET1'],
      ['/data/SECRET2/feed.csv', undefined],
    ])
    server.answer((_, response) => response.writeHead(403).end('SECRET2'))
    await expect(load({ name: 'b', key: 'SECRET2', path: `${server.url}/data/{key}/feed.csv` })).rejects.toThrow(
      /answers 403$/,
    )
    expect(JSON.stringify(events)).not.toContain('SECRET')
  })

  it('of ThreatFox is one question by POST', async () => {
    serve(JSON.stringify({ query_status: 'ok', data: [] }))
    await load({ format: 'threatfox', key: 'K' })
    expect(server.seen[0]).toMatchObject({ method: 'POST', body: '{"query":"get_iocs","days":7}' })
    serve(JSON.stringify({ query_status: 'unknown_auth_key' }))
    await expect(load({ format: 'threatfox', key: 'K' })).rejects.toThrow("answers 'unknown_auth_key'")
  })

  it('may be packed', async () => {
    serve(gzipSync('a.example\nb.example\n'))
    expect(await load()).toBe(2)
  })

  it('that condemns a top domain is not believed in that, single pages there are', async () => {
    serve(
      'google.com\nhttps://accounts.google.com/\nhttps://docs.google.com/forms/d/evil\nevil.github.io\nbad.example\n',
    )
    expect(await load()).toBe(3)
    expect(await levelOf('http://www.google.com/')).toBe('unknown')
    expect(await levelOf('https://accounts.google.com/')).toBe('unknown')
    expect(await levelOf('https://docs.google.com/forms/d/evil')).toBe('untrusted')
    expect(await levelOf('https://evil.github.io/x')).toBe('untrusted')
    expect(loader.status(source()).error).toBe(
      '2 were left out that condemn a top domain: google.com, accounts.google.com/',
    )
  })
})

describe('a feed that fails (lessons.md faults 32 and 33)', () => {
  const good = Array.from({ length: 30 }, (_, i) => `h${i}.example`).join('\n')
  const refused = async (reason: string | RegExp, over: Partial<IntelSource> = {}): Promise<void> => {
    await expect(load(over)).rejects.toThrow(reason)
    expect(await levelOf('http://h7.example/')).toBe('untrusted')
  }
  beforeEach(async () => {
    serve(good)
    await load()
  })

  it.each<[string, string | Buffer, RegExp]>([
    ['an error page', '<html><body>Bad gateway</body></html>', /cannot be used; the last good set is kept/],
    ['nothing', '', /taken for an accident/],
    ['a tenth', 'h1.example\nh2.example\n', /taken for an accident/],
    ['broken gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), /is not valid gzip/],
    ['a gzip bomb', gzipSync(Buffer.alloc(65 * 1024 * 1024)), /unpacks to more than 67108864 bytes/],
  ])('with %s keeps the last good set', async (_, body, reason) => {
    serve(body)
    await refused(reason)
  })

  it.each<[IntelSource['format']]>([['urlhaus-json'], ['phishtank-json'], ['threatfox'], ['misp']])(
    'with invalid JSON as %s keeps the last good set',
    async (format) => {
      serve('{"data": [')
      await refused(/not valid JSON/, { format })
    },
  )

  it('with a body without end is cut off', async () => {
    server.answer((_, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (response.write(Buffer.alloc(1_000_000, 97)));
        response.once('drain', more)
      }
      more()
    })
    await refused(/larger than 67108864 bytes/)
  })

  it('with a slow body is given up when its time is over', async () => {
    server.answer((_, response) => {
      response.writeHead(200)
      response.write('h1.example\n')
    })
    const loading = load()
    const failed = expect(loading).rejects.toThrow('no whole answer in time')
    while (server.seen.length < 2) await new Promise(setImmediate)
    await env.clock.advance(301_000)
    await failed
    expect(await levelOf('http://h7.example/')).toBe('untrusted')
  })

  it('with 429 is left alone for as long as it asks', async () => {
    server.answer((_, response) => response.writeHead(429, { 'retry-after': '7200' }).end())
    await refused(/answers 429/)
    const asked = server.seen.length
    await env.clock.advance(HOUR)
    expect(await load()).toBe(30)
    expect(server.seen).toHaveLength(asked)
    serve(good)
    await env.clock.advance(HOUR + 1000)
    expect(await load()).toBe(30)
    expect(server.seen).toHaveLength(asked + 1)
  })

  it.each([
    ['http://localhost/feed', /not to an https URL/],
    ['https://127.0.0.1/feed', /which is no public name/],
    ['https://169.254.169.254/latest/meta-data', /which is no public name/],
    ['https://intranet/feed', /which is no public name/],
  ])('that redirects to %s is not followed', async (location, reason) => {
    server.answer((_, response) => response.writeHead(302, { location }).end())
    await refused(reason)
  })

  it('that redirects to a public name with an address inside is not connected to', async () => {
    const { port } = new URL(server.url)
    server.answer((_, response) => response.writeHead(302, { location: `https://cdn.example.com:${port}/feed` }).end())
    const before = server.seen.length
    await refused('redirects to a name whose address is not public')
    expect(server.seen.length - before).toBe(1)
    expect(asked).toContain('cdn.example.com')
  })

  it('that redirects in a circle ends', async () => {
    server.answer((_, response) => response.writeHead(302, { location: '/feed' }).end())
    await refused(/answers 302/)
  })

  it('that is dead is told, then told to be old, then no longer counts, until it is back', async () => {
    const down = async (days: number): Promise<void> => {
      server.answer((request) => request.socket.destroy())
      for (let day = 0; day < days; day++) {
        await env.clock.advance(24 * HOUR)
        await expect(load()).rejects.toThrow(/cannot be reached/)
      }
    }
    await down(6)
    expect(await levelOf('http://h7.example/')).toBe('untrusted')
    // The next process knows no more than the store.
    loader = newLoader()
    await down(3)
    expect(await levelOf('http://h7.example/')).toBe('unknown')
    expect(alerts().filter((text) => !text.includes('could not be loaded'))).toEqual([
      "The intelligence source 'feed' could not be renewed for 3 days. What it said counts until it is 7 days.",
      "The intelligence source 'feed' could not be renewed for 7 days. What it said (30 indicators) no longer counts.",
    ])
    expect(loader.status(source())).toMatchObject({
      indicators: 0,
      error: expect.stringContaining('no longer counts, after 7 days: localhost') as string,
    })
    server.answer((request, response) =>
      request.headers['if-none-match'] === undefined ? response.end('h7.example\n') : response.writeHead(304).end(),
    )
    expect(await load()).toBe(1)
    expect(await levelOf('http://h7.example/')).toBe('untrusted')
    expect(loader.status(source())).toMatchObject({ error: null, checkedAt: env.clock.now() })
  })

  it('that says for weeks that nothing is new does not grow old, also across a restart', async () => {
    server.answer((request, response) => {
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"' }).end(`${good}\nmore.example\n`)
    })
    await load()
    await env.clock.advance(20 * 24 * HOUR)
    await load()
    loader = newLoader()
    server.answer((request) => request.socket.destroy())
    await env.clock.advance(24 * HOUR)
    await refused(/cannot be reached/)
    expect(await levelOf('http://h7.example/')).toBe('untrusted')
    expect(alerts()).toHaveLength(1)
  })
})

it('a feed that flaps makes one retrospection of a message, not one per turn (lessons.md fault 34)', async () => {
  const serial = '420D4F36AAEBC009AAAA-B9E721891234'
  await service.devices.enrol(serial)
  await service.retro.submit(serial, [{ emailId: 'e-1', url: 'http://flap.example/x', ref: null, keys: null }])
  for (const body of [
    'flap.example\nother.example\n',
    'third.example\nother.example\n',
    'flap.example\nother.example\n',
  ]) {
    serve(body)
    await loader.load(source(), signal, true)
    await env.clock.advance(HOUR)
  }
  const page = service.retro.page(serial, new Date('2022-03-30T00:00:00Z'), 100)
  expect(page.retros.map((r) => r.emailId)).toEqual(['e-1'])
})

it('the feeds that are known by name are https or DNS zones, and say whose terms count', () => {
  for (const feed of KNOWN_FEEDS) {
    expect(feed.path).toMatch(feed.format.startsWith('dns-') ? /^[a-z]+\.[a-z]+\.org$/ : /^https:\/\//)
    expect(feed.licence).not.toBe('')
    expect(feed.path.includes('{key}') && !feed.needsKey).toBe(false)
  }
})
