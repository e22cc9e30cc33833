import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { lookup } from 'node:dns'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskHashListFiles } from '../../../../src/adapters/files/hash-list-files.ts'
import { createFeedFetch } from '../../../../src/adapters/http/feed-fetch.ts'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { intelligence } from '../../../../src/config/sections/intelligence.ts'
import type { IntelSource } from '../../../../src/config/sections/intelligence.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import { createHashLists } from '../../../../src/intel/sources/hash-lists.ts'
import type { HashLists } from '../../../../src/intel/sources/hash-lists.ts'
import { blindLookup } from '../../../../src/intel/url/blind.ts'
import type { IntelStore } from '../../../../src/store/repositories/intel.ts'
import { testEnv } from '../../../support/env.ts'
import { startFeedServer } from '../../../support/feed-server.ts'
import { hashListProvider } from '../../../support/hash-list-provider.ts'

const { signal } = new AbortController()
const DAY = 86_400_000
const PHISH = 'phish.example/login'
const LISTS = {
  'safe-browsing': { phishing: 'se-4b', malware: 'mw-4b', unwanted: 'uws-4b', search: '/api/hashes:search' },
  'web-risk': {
    phishing: 'SOCIAL_ENGINEERING',
    malware: 'MALWARE',
    unwanted: 'UNWANTED_SOFTWARE',
    search: '/api/hashes:search',
  },
} as const

describe.each(['safe-browsing', 'web-risk'] as const)('the hash lists of %s', (format) => {
  const names = LISTS[format]
  let home: string
  let writer: SqliteWriter
  let store: IntelStore
  let env: ReturnType<typeof testEnv>
  let events: ApplianceEvent[]
  let server: Awaited<ReturnType<typeof startFeedServer>>
  let feeds: ReturnType<typeof createFeedFetch>
  let provider: ReturnType<typeof hashListProvider>
  let lists: HashLists
  let service: IntelService

  const open = (): void => {
    const bus = createEventBus(env.clock)
    bus.subscribe((_, e) => events.push(e))
    lists = createHashLists({
      store,
      feeds,
      files: diskHashListFiles(home),
      clock: env.clock,
      events: bus,
      changed: () => service.catchUp(),
    })
    service = createIntelService({ store, env, hashes: lists })
  }

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'lychgate-hash-lists-'))
    writer = inlineWriter()
    env = testEnv('2022-03-30T00:20:10Z')
    store = await createIntelStore(writer, join(home, 'intel.db'))
    events = []
    server = await startFeedServer(home)
    feeds = createFeedFetch({
      clock: env.clock,
      proxy: () => null,
      ca: server.caPem,
      userAgent: 'lychgate/test',
      resolveName: ((_: string, options: object, done: (error: null, found: unknown, family?: number) => void) =>
        'all' in options && options.all
          ? done(null, [{ address: '127.0.0.1', family: 4 }])
          : done(null, '127.0.0.1', 4)) as unknown as typeof lookup,
    })
    provider = hashListProvider(format)
    provider.state.now = () => env.clock.now()
    provider.threats.set(names.phishing, [PHISH, 'many.example/'])
    provider.threats.set(names.malware, ['mal.example/bin.exe'])
    provider.threats.set(names.unwanted, ['toolbar.example/'])
    server.answer((request, response) => provider.answer(request, response))
    open()
  })
  afterEach(async () => {
    await feeds.close()
    await server.stop()
    await writer.close()
    rmSync(home, { recursive: true, force: true })
  })

  const source = (over: Partial<IntelSource> = {}): IntelSource => ({
    name: 'lists',
    enabled: true,
    format,
    path: `${server.url}/api/`,
    key: 'secret-key',
    level: 'untrusted',
    category: '',
    refreshSeconds: 1800,
    ...over,
  })
  const check = () => lists.check(source(), signal)
  const levelOf = async (url: string) => (await service.lookup.urls([url], signal)).get(url)?.level
  const searches = (): number => provider.asked.filter((a) => a.startsWith(names.search)).length
  const alerts = (): readonly string[] => events.flatMap((e) => (e.type === 'alert.raised' ? [e.text] : []))

  it('make verdicts of what the provider confirms, and ask about nothing else', async () => {
    expect(await check()).toBe(4)
    expect(await levelOf('http://innocent.example/')).toBe('unknown')
    expect(searches()).toBe(0)
    expect(await levelOf('https://PHISH.example/login')).toBe('untrusted')
    expect(await levelOf('http://phish.example/other')).toBe('unknown')
    expect(await levelOf('http://a.many.example/deep/page?x=1')).toBe('untrusted')
    expect(await levelOf('http://mal.example/bin.exe')).toBe('untrusted')
    expect(await levelOf('http://toolbar.example/x')).toBe('questionable')
    const found = (await service.lookup.urls(['http://mal.example/bin.exe'], signal)).get('http://mal.example/bin.exe')
    expect(found).toMatchObject({ category: 'Malware', because: { source: 'lists', reason: 'listed as malware' } })
    expect(provider.asked.join(' ')).not.toMatch(/phish|secret-key/)
  })

  it('are asked about a prefix once as long as the answer counts', async () => {
    await check()
    await levelOf(`http://${PHISH}`)
    await levelOf(`http://${PHISH}`)
    expect(searches()).toBe(1)
    await env.clock.advance(301_000)
    await levelOf(`http://${PHISH}`)
    expect(searches()).toBe(2)
  })

  it('follow by differences, and take back what is no longer listed', async () => {
    await check()
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    provider.threats.set(names.phishing, ['many.example/', 'new.example/a'])
    await env.clock.advance(1_800_000)
    expect(await check()).toBe(4)
    expect(provider.asked.at(-1)).toMatch(/version/)
    expect(await levelOf(`http://${PHISH}`)).toBe('unknown')
    expect(await levelOf('http://new.example/a')).toBe('untrusted')
  })

  it('end a verdict whose prefix stays while the provider no longer confirms it', async () => {
    await check()
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    provider.threats.set(names.phishing, ['many.example/'])
    provider.stale.push(PHISH)
    await env.clock.advance(1_800_000)
    await check()
    expect(await levelOf(`http://${PHISH}`)).toBe('unknown')
  })

  it('turn what is watched as soon as somebody meets it again', async () => {
    await store.devices.enrol('SERIAL', 'hash', env.clock.now())
    await check()
    const item = { emailId: '11111111-1111-4111-8111-111111111111', url: `http://${PHISH}`, ref: null, keys: null }
    await service.retro.submit('SERIAL', [item])
    await levelOf(`http://${PHISH}?mail=2`)
    await service.catchUp()
    const page = store.retro.page('SERIAL', new Date(0), 10)
    expect(page).toMatchObject([{ url: `http://${PHISH}`, withdrawn: false }])
  })

  it('turn what is watched when it comes into a list, and take that back when it leaves', async () => {
    await store.devices.enrol('SERIAL', 'hash', env.clock.now())
    await check()
    const url = 'http://www.later.example/a/page?x=1'
    const item = { emailId: '11111111-1111-4111-8111-111111111111', url, ref: null, keys: null }
    await service.retro.submit('SERIAL', [item])
    provider.threats.set(names.phishing, [PHISH, 'many.example/', 'later.example/a/'])
    await env.clock.advance(1_800_000)
    await check()
    await service.catchUp()
    expect(store.retro.page('SERIAL', new Date(0), 10)).toMatchObject([{ url, withdrawn: false }])
    const before = searches()
    await env.clock.advance(1_800_000)
    await check()
    expect(searches() - before).toBeLessThanOrEqual(1)
    provider.threats.set(names.phishing, [PHISH, 'many.example/'])
    await env.clock.advance(1_800_000)
    await check()
    await service.catchUp()
    expect(store.retro.page('SERIAL', new Date(0), 10)).toMatchObject([{ url, withdrawn: true }])
  })

  it('answer look-ups by prefixes that name no URL', async () => {
    await check()
    const url = `http://${PHISH}`
    const blind = blindLookup([url], systemEntropy)
    const matches = (
      await Promise.all(
        blind.requests.map((prefixes) =>
          service.matches(
            prefixes.map((p) => Number.parseInt(p, 16)),
            signal,
          ),
        ),
      )
    ).flat()
    expect(blind.verdicts(matches).get(url)?.level).toBe('untrusted')
  })

  it('wait as long as the provider says, and are had whole again when a difference does not fit', async () => {
    await check()
    const before = provider.asked.length
    await check()
    expect(provider.asked.length).toBe(before)
    await env.clock.advance(1_800_000)
    provider.state.broken = true
    await expect(check()).rejects.toThrow('a list is not what its checksum says')
    expect(alerts().at(-1)).toContain("'lists' could not be brought up to date: a list is not what its checksum says")
    provider.state.broken = false
    await env.clock.advance(1_800_000)
    expect(await check()).toBe(4)
    expect(alerts().at(-1)).toContain('is up to date again')
  })

  it('keep what is known while the provider is away, leave it alone, and let it go after seven days', async () => {
    await check()
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    provider.state.down = 503
    provider.state.retryAfter = '7200'
    await env.clock.advance(1_800_000)
    await expect(check()).rejects.toThrow(/503/)
    const before = provider.asked.length
    await env.clock.advance(1_800_000)
    await check()
    expect(provider.asked.length).toBe(before)
    expect(await levelOf('http://mal.example/bin.exe')).toBe('unknown')
    await levelOf('http://mal.example/bin.exe')
    expect(searches()).toBe(2)
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    await env.clock.advance(7 * DAY)
    await expect(check()).rejects.toThrow(/503/)
    expect(await levelOf(`http://${PHISH}`)).toBe('unknown')
    expect(alerts().at(-1)).toContain('What it said no longer counts')
  })

  it('go on after a restart with differences, and start anew from a damaged file', async () => {
    await check()
    open()
    await env.clock.advance(1_800_000)
    await check()
    expect(provider.asked.at(-1)).toMatch(/version/)
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    const path = join(home, 'lists.hashes')
    const file = readFileSync(path)
    file[file.length - 1] = (file[file.length - 1] as number) ^ 1
    writeFileSync(path, file)
    open()
    await env.clock.advance(1_800_000)
    await check()
    expect(provider.asked.filter((a) => !a.includes('search')).at(-1)).not.toMatch(/version/)
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
  })

  it('say why when the key is wrong, without saying the key', async () => {
    await expect(lists.check(source({ key: 'other-key' }), signal)).rejects.toThrow(/answers 403/)
    expect(JSON.stringify(events)).not.toContain('other-key')
  })

  it('never condemn a top domain as a whole', async () => {
    provider.threats.set(names.phishing, ['google.com/', 'sites.google.com/x'])
    await check()
    expect(await levelOf('https://google.com/')).toBe('unknown')
    expect(await levelOf('https://sites.google.com/x')).toBe('untrusted')
  })

  it('are gone with everything they said when the source is', async () => {
    await check()
    expect(await levelOf(`http://${PHISH}`)).toBe('untrusted')
    await lists.drop('lists')
    expect(await levelOf(`http://${PHISH}`)).toBe('unknown')
    expect(lists.inUse()).toBe(false)
  })

  it('need the URL of the API and a key', () => {
    const verify = (over: Partial<IntelSource>) =>
      intelligence.verify?.({ ...intelligence.defaults, sources: [source(over)] }, {} as never) ?? []
    expect(verify({})).toEqual([])
    expect(verify({ key: null })[0]?.message).toContain('needs the key')
    expect(verify({ path: `${server.url}/api` })[0]?.message).toContain('ending in /')
  })
})
