import { beforeEach, describe, expect, it } from 'vitest'
import { urlFiltering } from '../../../../src/config/sections/url-filtering.ts'
import { urlLists } from '../../../../src/config/sections/url-lists.ts'
import { urlRetrospection } from '../../../../src/config/sections/url-retrospection.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import type { IntelLookup, UrlReputation, UrlReputationRequest } from '../../../../src/intel/lookup.ts'
import { createUrlReputation } from '../../../../src/intel/url/reputation.ts'
import type { UrlVerdict } from '../../../../src/intel/verdict.ts'
import { TestConfig } from '../../../support/config-reader.ts'
import { testEnv } from '../../../support/env.ts'
import { settle } from '../../../support/fake-clock.ts'

const URL_1 = 'http://phish.example.com/test_url'
const BAD = 'http://bad.example/'
const { signal } = new AbortController()
const request: UrlReputationRequest = {
  mid: 63280,
  source: 'antispam',
  connectionGuid: 'Eme4o07gTA+a85XUX1xgPQ==',
  messageGuid: 'LtQbVb3sSf2r+kWodvwQ1g==',
  urls: [URL_1],
  outbound: false,
}
const verdictOf = (url: string): UrlVerdict =>
  url === BAD
    ? { url, level: 'untrusted', score: -9, category: 'Phishing', because: null }
    : { url, level: 'unknown', score: null, category: null, because: null }

let env: ReturnType<typeof testEnv>
let events: ApplianceEvent[]
let config: TestConfig
let batches: (readonly string[])[]
let answer: IntelLookup['urls']
let client: UrlReputation

beforeEach(() => {
  env = testEnv('2022-03-30T00:20:10Z')
  events = []
  batches = []
  config = new TestConfig().set(urlRetrospection, { ...urlRetrospection.defaults, enabled: true })
  answer = async (urls) => new Map(urls.map((u) => [u, verdictOf(u)]))
  const bus = createEventBus(env.clock)
  bus.subscribe((_, e) => events.push(e))
  const lookup: IntelLookup = {
    name: 'test',
    urls: async (urls, s) => {
      batches.push(urls)
      return await answer(urls, s)
    },
    sender: () => Promise.reject(new Error('not asked')),
  }
  client = createUrlReputation({
    env,
    events: bus,
    config,
    lookup: () => lookup,
    product: { serial: '420D4F36AAEBC009XXYY-B9E721891234', version: '0.1.0' },
    room: { known: 5, unknown: 5 },
  })
})

const types = () => events.map((e) => e.type.replace('url-rep.', ''))

describe('the URL reputation client', () => {
  it("tells a first look-up in the reference's order, request and answer on lanes of their own", async () => {
    await client.lookup(request, signal)
    expect(types()).toEqual([
      'started',
      'requested',
      'wire-request',
      'wire-response',
      'batch-received',
      'parsed',
      'unscored',
      'batch-response',
      'information',
      'reply',
      'summary',
    ])
    const threads = events.map((e) => ('thread' in e ? e.thread : 0))
    expect(threads).toEqual([1, 1, 1, 101, 101, 101, 101, 101, 1, 1, 1])
    expect(events[6]).toMatchObject({ urls: [URL_1], messageGuid: request.messageGuid })
    expect(Object.keys((events[1] as { request: object }).request)).toEqual([
      'case_ver',
      '_request_expiry',
      'ver',
      'args',
      'mid',
      'msg_guid',
      'is_outbound',
      'ignore_cache',
      'connection_guid',
      'id',
    ])
    expect(events[10]).toMatchObject({ total: 1, passed: 1, failed: 0, unscanned: 0, allowed: 0 })
  })

  it("tells a filter's look-up as a cache hit", async () => {
    await client.lookup(request, signal)
    events.length = 0
    await client.lookup({ ...request, source: 'work_queue' }, signal)
    expect(types()).toEqual(['started', 'requested', 'cache-hits', 'information', 'reply', 'summary'])
    expect(batches).toHaveLength(1)
    expect(client.diagnostics()).toMatchObject({ cacheSize: 1, cacheHits: 1, response: { minimum: 0, maximum: 0 } })
  })

  it('hands an unscored URL over again for another message, and for outgoing mail never', async () => {
    await client.lookup(request, signal)
    events.length = 0
    await client.lookup({ ...request, mid: 63281 }, signal)
    expect(types()).toContain('unscored')
    events.length = 0
    await client.lookup({ ...request, mid: 63282, outbound: true, urls: [URL_1, 'http://new.example/'] }, signal)
    expect(types()).not.toContain('unscored')
  })

  it('tells of no hand-over while the retrospective service is disabled', async () => {
    config.set(urlRetrospection, urlRetrospection.defaults)
    await client.lookup(request, signal)
    await client.lookup({ ...request, mid: 63281 }, signal)
    expect(types()).not.toContain('unscored')
  })

  it('asks again when the answer is too old or the cache was flushed', async () => {
    await client.lookup(request, signal)
    await env.clock.advance(61_000)
    await client.lookup(request, signal)
    client.flush()
    expect(client.diagnostics().cacheSize).toBe(0)
    await client.lookup(request, signal)
    expect(batches).toHaveLength(3)
  })

  it('does not keep what was asked before a flush', async () => {
    let open: () => void = () => undefined
    answer = (urls) => new Promise((resolve) => (open = () => resolve(new Map(urls.map((u) => [u, verdictOf(u)])))))
    const first = client.lookup(request, signal)
    await settle()
    client.flush()
    open()
    await first
    expect(client.diagnostics().cacheSize).toBe(0)
  })

  it('asks for a URL once at a time, whoever wants it', async () => {
    let open: () => void = () => undefined
    answer = (urls) => new Promise((resolve) => (open = () => resolve(new Map(urls.map((u) => [u, verdictOf(u)])))))
    const both = [client.lookup(request, signal), client.lookup({ ...request, mid: 2, urls: [URL_1, URL_1] }, signal)]
    await settle()
    open()
    for (const verdicts of await Promise.all(both)) expect([...verdicts.keys()]).toEqual([URL_1])
    expect(batches).toEqual([[URL_1]])
  })

  it('leaves out what the allowed list names', async () => {
    config.set(urlFiltering, { ...urlFiltering.defaults, allowedList: 'ours' })
    config.set(urlLists, [{ name: 'ours', urls: ['phish.example.com'] }])
    const verdicts = await client.lookup({ ...request, urls: [URL_1, BAD] }, signal)
    expect([...verdicts.keys()]).toEqual([BAD])
    expect(events[events.length - 1]).toMatchObject({ total: 2, passed: 1, allowed: 1 })
  })

  it('gives no verdict, and caches none, when the service does not answer in time', async () => {
    answer = () => new Promise(() => undefined)
    const result = client.lookup(request, signal)
    await settle()
    await env.clock.advance(15_000)
    expect((await result).size).toBe(0)
    expect(events[events.length - 1]).toMatchObject({ total: 1, passed: 0, unscanned: 1, failed: 0 })
    expect(types()).toContain('failed')
    expect(types()).not.toContain('unscored')
    answer = async (urls) => new Map(urls.map((u) => [u, verdictOf(u)]))
    expect((await client.lookup(request, signal)).size).toBe(1)
  })

  it('ends with the signal of who asked', async () => {
    answer = () => new Promise(() => undefined)
    const stop = new AbortController()
    const result = client.lookup(request, stop.signal)
    await settle()
    stop.abort(new Error('stopping'))
    await expect(result).rejects.toThrow('stopping')
  })
})

describe('the cache', () => {
  const known = 'http://known.example/'
  const asked = () => batches.flat().filter((u) => u === known).length
  const ask = (...urls: readonly string[]) => client.lookup({ ...request, urls }, signal)

  it('keeps what is known apart: a wave of URLs that nobody knows pushes nothing out', async () => {
    answer = async (urls) =>
      new Map(
        urls.map((url) => [url, url === known ? { ...verdictOf(url), level: 'trusted', score: 8 } : verdictOf(url)]),
      )
    await ask(known)
    await ask(...Array.from({ length: 20 }, (_, i) => `http://new.example/${i}`))
    expect(client.diagnostics().cacheSize).toBe(6)
    await ask(known)
    expect(asked()).toBe(1)
  })

  it('after a flush takes nothing from an answer that was under way before it', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const old = answer
    answer = async (urls, s) => {
      await gate
      return await old(urls, s)
    }
    const before = ask(known)
    await settle()
    client.flush()
    answer = async (urls) => new Map(urls.map((url) => [url, { ...verdictOf(BAD), url }]))
    const after = ask(known)
    release()
    expect((await before).get(known)?.level).toBe('unknown')
    expect((await after).get(known)?.level).toBe('untrusted')
    expect((await ask(known)).get(known)?.level).toBe('untrusted')
    expect(asked()).toBe(2)
  })
})
