import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ALERT_MIGRATIONS, createAlertStore } from '../../../../src/adapters/sqlite/alerts.ts'
import { inlineWriter } from '../../../../src/adapters/sqlite/database.ts'
import type { SqliteDatabase } from '../../../../src/adapters/sqlite/database.ts'
import { TRACKING_MIGRATIONS, createTrackingStore } from '../../../../src/adapters/sqlite/tracking.ts'
import { createEventBus } from '../../../../src/events/bus.ts'
import { recordTracking } from '../../../../src/store/tracking-facts.ts'
import type { TrackedMessage, TrackingSearch } from '../../../../src/store/tracking.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-tracking-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const signal = new AbortController().signal

const wish = (of: Partial<TrackingSearch>): TrackingSearch => ({ matches: () => true, literal: '', typed: '', ...of })
const mids = async (found: AsyncIterable<TrackedMessage>): Promise<readonly number[]> => {
  const all: number[] = []
  for await (const { mid } of found) all.push(mid)
  return all
}

const opened = async (retention = { maxMessages: 1_000_000, maxAgeDays: 90 }, db?: SqliteDatabase) => {
  const writer = inlineWriter()
  const clock = new FakeClock('2022-03-29T20:20:10Z')
  const told: string[] = []
  const store = createTrackingStore({
    db: db ?? (await writer.open(join(home, 'tracking.sqlite'), TRACKING_MIGRATIONS)),
    clock,
    retention,
    onLost: (text) => void told.push(text),
  })
  const bus = createEventBus(clock)
  recordTracking(bus, store)
  const message = (mid: number, subject: string): void => {
    bus.publish({ type: 'message.started', mid, icid: 5 })
    bus.publish({ type: 'message.sender', mid, icid: 5, sender: 'a@example.net' })
    bus.publish({ type: 'message.recipient', mid, icid: 5, rid: 0, recipient: `user${mid}@example.com` })
    bus.publish({ type: 'message.id', mid, messageId: `<${mid}@x>` })
    bus.publish({ type: 'message.subject', mid, subject })
  }
  return { store, bus, message, writer, told, clock }
}

describe('the tracking index', () => {
  it('joins a message with its recipients, deliveries and what came of it, and survives a restart', async () => {
    const first = await opened()
    first.message(7, 'sales')
    first.bus.publish({ type: 'policy.split', mid: 7, into: 8, policy: 'p', table: 'inbound' })
    first.bus.publish({ type: 'delivery.started', dcid: 3, mid: 7, rids: [0], local: false })
    first.bus.publish({ type: 'delivery.bounce-generated', mid: 9, from: 7 })
    await first.store.stop()
    await first.writer.close()
    const second = await opened()
    expect(second.store.message(7)).toEqual({
      mid: 7,
      icid: 5,
      at: new Date('2022-03-29T20:20:10Z'),
      sender: 'a@example.net',
      recipients: ['user7@example.com'],
      messageId: '<7@x>',
      subject: 'sales',
      dcids: [3],
      derived: [8, 9],
    })
    await second.writer.close()
  })

  it.each([
    ['from', 'a@example.net', [8, 7]],
    ['to', 'user8@example.com', [8]],
    ['message-id', '<7@x>', [7]],
    ['subject', 'sales', [7]],
  ] as const)('finds by %s, newest first', async (field, text, expected) => {
    const { store, message, writer } = await opened()
    message(7, 'sales')
    message(8, 'other')
    expect(await mids(store.search(field, wish({ matches: (t) => t === text }), 10, signal))).toEqual(expected)
    expect(await mids(store.search(field, wish({ literal: text }), 10, signal))).toEqual(expected)
    await writer.close()
  })

  it('answers a Message-ID that is typed by the index, before it looks through the rest', async () => {
    const { store, bus, message, writer } = await opened()
    for (let mid = 1; mid <= 30; mid++) message(mid, 's')
    for (const mid of [3, 5]) bus.publish({ type: 'message.id', mid, messageId: '<a.b@x>' })
    bus.publish({ type: 'message.id', mid: 9, messageId: '<a-b@x>' })
    for (const typed of ['<a.b@x>', 'a.b@x'])
      expect(
        await mids(store.search('message-id', wish({ typed, matches: (t) => /a.b@x/.test(t) }), 10, signal)),
      ).toEqual([5, 3, 9])
    const first = store.search('message-id', wish({ typed: 'a.b@x' }), 10, signal)
    for await (const { mid } of first) {
      expect(mid).toBe(5)
      break
    }
    expect(await mids(store.search('message-id', wish({ typed: '<a.b@x>', literal: 'a.b' }), 1, signal))).toEqual([5])
    await writer.close()
  })

  it('stops when it is told to', async () => {
    const { store, message, writer } = await opened()
    for (let mid = 1; mid <= 3; mid++) message(mid, 's')
    await expect(mids(store.search('subject', wish({}), 10, AbortSignal.abort()))).rejects.toThrow()
    await writer.close()
  })

  it('keeps no more messages than asked', async () => {
    const { store, message, writer } = await opened({ maxMessages: 100, maxAgeDays: 90 })
    for (let mid = 1; mid <= 1000; mid++) message(mid, 's')
    await store.flush()
    for (let mid = 1001; mid <= 2000; mid++) message(mid, 's')
    await store.flush()
    expect((await mids(store.search('subject', wish({}), 5000, signal))).length).toBeLessThanOrEqual(1100)
    expect(store.message(1)).toBeUndefined()
    expect(store.message(2000)).toBeDefined()
    await writer.close()
  })

  it('tells once when rows are lost, and never throws into who publishes', async () => {
    const failing = {
      all: () => [],
      get: () => undefined,
      write: () => Promise.reject(new Error('disk full')),
    } as unknown as SqliteDatabase
    const { store, message, told } = await opened(undefined, failing)
    message(1, 's')
    await store.flush()
    message(2, 's')
    await store.flush()
    expect(told).toEqual(['Message tracking lost entries: disk full'])
  })
})

describe('the alert store', () => {
  it('keeps the newest alerts over a restart', async () => {
    const writer = inlineWriter()
    const store = createAlertStore(await writer.open(join(home, 'alerts.sqlite'), ALERT_MIGRATIONS))
    for (const text of ['one', 'two', 'three'])
      await store.add({ at: new Date(0), class: 'System', severity: 'Warning', text }, 2)
    await writer.close()
    const again = inlineWriter()
    const reopened = createAlertStore(await again.open(join(home, 'alerts.sqlite'), ALERT_MIGRATIONS))
    expect(reopened.load(10).map((a) => a.text)).toEqual(['three', 'two'])
    await again.close()
  })
})
