import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../../../src/adapters/sqlite/intel.ts'
import { addressLists } from '../../../../src/config/sections/address-lists.ts'
import { sdr } from '../../../../src/config/sections/sdr.ts'
import type { ConfigSection } from '../../../../src/config/section.ts'
import { Fault } from '../../../../src/core/errors.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../../src/events/event.ts'
import type { IntelLookup } from '../../../../src/intel/lookup.ts'
import { createSenderReputation } from '../../../../src/intel/sdr/engine.ts'
import type { SenderReputation } from '../../../../src/intel/sdr/port.ts'
import { verifyTracker } from '../../../../src/intel/sdr/tracker.ts'
import { createIntelService } from '../../../../src/intel/service/service.ts'
import type { IntelService } from '../../../../src/intel/service/service.ts'
import type { SenderQuery } from '../../../../src/intel/verdict.ts'
import { testEnv } from '../../../support/env.ts'
import { settle } from '../../../support/fake-clock.ts'

const DAY = 86_400_000
const KEY = Buffer.alloc(32, 1)
const { signal } = new AbortController()
const query: SenderQuery = {
  remoteAddress: '192.0.2.1',
  reverseHost: 'mx.provider.example',
  helo: 'mx.provider.example',
  envelopeFrom: 'sender.example',
  headerFrom: 'sender.example',
  replyTo: null,
}

let home: string
let writer: SqliteWriter
let env: ReturnType<typeof testEnv>
let service: IntelService
let events: ApplianceEvent[]
let settings: Map<string, unknown>
let lookup: IntelLookup
let engine: SenderReputation

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-sdr-'))
  writer = inlineWriter()
  env = testEnv('2022-03-30T00:20:10Z')
  const store = await createIntelStore(writer, join(home, 'intel.db'))
  service = createIntelService({ store, env })
  lookup = service.lookup
  events = []
  settings = new Map()
  const bus = createEventBus(env.clock)
  bus.subscribe((_, e) => events.push(e))
  const config = { get: <T>(s: ConfigSection<T>) => (settings.get(s.name) ?? s.defaults) as T }
  engine = createSenderReputation({
    env,
    events: bus,
    config,
    lookup: () => lookup,
    firstSeen: store.firstSeen,
    trackerKey: KEY,
  })
})
afterEach(async () => {
  await writer.close()
  rmSync(home, { recursive: true, force: true })
})

const use = (change: Partial<typeof sdr.defaults>): void => void settings.set(sdr.name, { ...sdr.defaults, ...change })
const judged = async (q: SenderQuery = query) => {
  const result = await engine.judge('headers', 63280, q, signal)
  return result.kind === 'verdict' ? result.verdict : result
}
const set = (indicator: string, level: string, ageDays?: number) =>
  service.verdicts.set(indicator, level, {
    user: 'admin',
    category: 'Spam',
    ...(ageDays === undefined ? {} : { ageDays }),
  })

describe('Sender Domain Reputation', () => {
  it('tells request, verdict and tracker, in that order, and the tracker in the pass over the headers only', async () => {
    await engine.judge('envelope', 63280, { ...query, headerFrom: null }, signal)
    expect(events.map((e) => e.type)).toEqual(['sdr.requested', 'sdr.verdict'])
    const result = await engine.judge('headers', 63280, query, signal)
    expect(events.map((e) => e.type).slice(2)).toEqual(['sdr.requested', 'sdr.verdict', 'sdr.tracker'])
    const tracker = result.kind === 'verdict' ? (result.tracker ?? '') : ''
    expect(verifyTracker(KEY, tracker)).toMatchObject({ mid: 63280, level: 'unknown' })
  })

  it('has one pass in the older words', async () => {
    use({ vocabulary: 'reputation' })
    expect(await engine.judge('envelope', 1, query, signal)).toEqual({ kind: 'off' })
    expect(events).toEqual([])
    await judged()
    expect(events[1]).toMatchObject({ type: 'sdr.verdict', vocabulary: 'reputation', ageDomain: 'sender.example' })
  })

  it('gives the worst of the domains, and names who caused it', async () => {
    await set('sender.example', 'tainted')
    await set('provider.example', 'malicious')
    expect(await judged()).toMatchObject({
      level: 'awful',
      category: 'Spam',
      suspected: ['mx.provider.example', 'sender.example'],
    })
  })

  it('takes a good word only for a domain that is proven', async () => {
    await set('sender.example', 'trusted')
    expect(await judged()).toMatchObject({ level: 'neutral' })
    expect(await judged({ ...query, dmarc: 'pass' })).toMatchObject({ level: 'trusted', suspected: [] })
    expect(await judged({ ...query, spf: 'Pass' })).toMatchObject({ level: 'trusted' })
  })

  it('tells the youngest age that sources know, grown since they said it', async () => {
    await set('sender.example', 'neutral', 3)
    await env.clock.advance(2 * DAY)
    expect(await judged()).toMatchObject({ ageDays: 5, ageDomain: 'sender.example' })
  })

  it('does not call a domain young that is new only to a gateway that is itself new', async () => {
    await judged()
    await env.clock.advance(5 * DAY)
    expect(await judged()).toMatchObject({ level: 'unknown', ageDays: null })
    await env.clock.advance(26 * DAY)
    expect(await judged()).toMatchObject({ level: 'neutral', ageDays: 31 })
    const young = { ...query, envelopeFrom: 'young.example', headerFrom: 'mail.young.example' }
    await judged(young)
    await env.clock.advance(2 * DAY)
    expect(await judged(young)).toMatchObject({ level: 'unknown', ageDays: 2 })
  })

  it('is unscanned when the service does not answer in time', async () => {
    lookup = { ...service.lookup, sender: () => new Promise(() => undefined) }
    use({ timeoutSeconds: 3 })
    const result = engine.judge('headers', 1, query, signal)
    await settle()
    await env.clock.advance(3000)
    expect(await result).toEqual({ kind: 'unscanned', reason: 'Service Temporarily Unavailable.' })
    expect(events[events.length - 1]).toEqual({
      type: 'sdr.unscanned',
      mid: 1,
      reason: 'Service Temporarily Unavailable.',
    })
  })

  it('is unscanned when the service fails or there is nothing to ask', async () => {
    lookup = { ...service.lookup, sender: () => Promise.reject(new Fault('UPSTREAM_UNAVAILABLE', 'away')) }
    expect(await judged()).toMatchObject({ kind: 'unscanned' })
    const nothing = { ...query, reverseHost: null, helo: null, envelopeFrom: null, headerFrom: null }
    expect(await judged(nothing)).toEqual({ kind: 'unscanned', reason: 'No domain to query.' })
  })

  it('leaves out user parts and display names unless it was opted in', async () => {
    const asked: SenderQuery[] = []
    lookup = {
      ...service.lookup,
      sender: (q, s) => {
        asked.push(q)
        return service.lookup.sender(q, s)
      },
    }
    await judged({ ...query, userParts: ['ceo'], displayNames: ['The Boss'] })
    use({ additionalAttributes: true })
    await judged({ ...query, userParts: ['ceo'], displayNames: ['The Boss'] })
    expect(asked[0]).toEqual(query)
    expect(asked[1]).toMatchObject({ userParts: ['ceo'], displayNames: ['The Boss'] })
  })

  it('makes no query for senders on the exception list', async () => {
    settings.set(addressLists.name, [
      { name: 'partners', description: '', type: 'domains', entries: ['provider.example', '.provider.example'] },
    ])
    use({ exceptionList: 'partners' })
    expect(await judged()).toMatchObject({ level: 'unknown' })
    use({ exceptionList: 'partners', exceptionMatchEnvelopeOnly: false })
    events.length = 0
    expect(await judged()).toEqual({ kind: 'excepted', domain: 'mx.provider.example', list: 'partners' })
    expect(events.map((e) => e.type)).toEqual(['sdr.excepted'])
  })
})
