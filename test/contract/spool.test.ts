import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from '../../src/adapters/sqlite/better-sqlite3.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCounters } from '../../src/adapters/sqlite/counters-block.ts'
import { inlineWriter, workerWriter } from '../../src/adapters/sqlite/database.ts'
import type { SqliteWriter } from '../../src/adapters/sqlite/database.ts'
import { Fault } from '../../src/core/errors.ts'
import type { Counters, Delivery, NewSpoolEntry } from '../../src/store/spool.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { newEntry, openSpool, temporaryHome } from '../support/spool.ts'

const delivery = (entry: NewSpoolEntry, rid: number): Delivery => ({
  mid: entry.mid,
  rootMid: entry.rootMid,
  rid,
  recipient: entry.recipients[rid]?.address ?? '',
  direction: entry.direction,
  sender: entry.sender,
  messageId: entry.messageId,
  subject: entry.subject,
  deliveredAt: new Date('2022-03-30T00:20:12Z'),
  via: 'maildir',
  location: '1.M1R0.mail',
  sha256: 'ab',
  receivedId: 'x',
})
const two = [
  { rid: 0, address: 'bob@example.com' },
  { rid: 1, address: 'Carol@Example.COM' },
]
const queued = (mid: number, over: Partial<NewSpoolEntry> = {}) =>
  newEntry(mid, { state: { kind: 'queued' }, recipients: two, ...over })
const BIG = Buffer.alloc(300_000, 'x')

const nextWhenReserved = async (counters: Counters): Promise<number> => {
  for (;;) {
    try {
      return counters.next('mid')
    } catch (error) {
      if (!(error instanceof Fault && error.code === 'STORE_BUSY')) throw error
      await settle()
    }
  }
}

const suite = (name: string, newWriter: () => SqliteWriter) =>
  describe(`spool on the ${name} writer`, () => {
    let dir: ReturnType<typeof temporaryHome>
    let clock: FakeClock
    let s: Awaited<ReturnType<typeof openSpool>>
    const restart = async () => {
      await s.close()
      s = await openSpool(clock, dir.home, newWriter)
    }
    beforeEach(async () => {
      dir = temporaryHome()
      clock = new FakeClock()
      s = await openSpool(clock, dir.home, newWriter)
    })
    afterEach(async () => {
      await s.close()
      dir.remove()
    })
    const bodies = () => readdirSync(join(dir.home, 'spool', 'bodies'))

    it('gives back what was accepted, also after a restart', async () => {
      const entry = newEntry(7, { subject: '=?utf-8?Q?h=C3=A9?=', sender: '' })
      await s.spool.accept(entry)
      await restart()
      const { state, body, ...envelope } = entry
      expect(s.spool.entry(7)).toEqual(envelope)
      expect(s.spool.state(7)).toEqual(state)
      expect(await s.spool.body(7)).toEqual(body)
      expect(s.spool.entry(8)).toBeUndefined()
    })

    it('lists work in the order of the ids, from where one left off', async () => {
      for (const mid of [3, 1, 2]) await s.spool.accept(newEntry(mid))
      expect(s.spool.work(0, 2).map((e) => e.mid)).toEqual([1, 2])
      expect(s.spool.work(2, 10).map((e) => e.mid)).toEqual([3])
    })

    it('keeps a big body as a file until the commit that ends the message', async () => {
      await s.spool.accept(queued(1, { body: BIG }))
      expect(bodies()).toHaveLength(1)
      expect(BIG.equals(await s.spool.body(1))).toBe(true)
      expect(await s.spool.delivered([delivery(queued(1), 0)])).toBe(false)
      expect(bodies()).toHaveLength(1)
      expect(await s.spool.delivered([delivery(queued(1), 1)])).toBe(true)
      expect(bodies()).toEqual([])
      expect(s.spool.entry(1)).toBeUndefined()
    })

    it('removes body files that no entry names when it opens', async () => {
      await s.spool.accept(newEntry(1, { body: BIG }))
      writeFileSync(join(dir.home, 'spool', 'bodies', '999.body'), 'left over')
      await restart()
      expect(bodies()).toEqual(['1.body'])
      expect(BIG.equals(await s.spool.body(1))).toBe(true)
    })

    it('shares one body among the parts of a split message', async () => {
      await s.spool.accept(newEntry(1, { recipients: two, body: BIG }))
      await s.spool.replace(1, [
        newEntry(1, { recipients: [two[0]!], body: null }),
        newEntry(2, { rootMid: 1, recipients: [two[1]!], body: null }),
      ])
      expect(bodies()).toHaveLength(1)
      await s.spool.replace(1, [])
      expect(BIG.equals(await s.spool.body(2))).toBe(true)
      await s.spool.replace(2, [])
      expect(bodies()).toEqual([])
      expect(s.database.get('SELECT * FROM body')).toBeUndefined()
    })

    it('replaces the body of the same message', async () => {
      await s.spool.accept(newEntry(1))
      await s.spool.replace(1, [newEntry(1, { state: { kind: 'queued' }, body: Buffer.from('new') })])
      expect((await s.spool.body(1)).toString()).toBe('new')
      expect(s.spool.queued(1).map((r) => [r.rid, r.domain])).toEqual([[0, 'example.com']])
      expect(s.database.all('SELECT id FROM body')).toHaveLength(1)
    })

    it('holds a message in quarantine and lets it go on where it left', async () => {
      const state = {
        kind: 'quarantined',
        quarantine: 'Policy',
        reason: 'content filter',
        since: new Date(1000),
        until: new Date(2000),
        resumeAt: 'delivery',
      } as const
      await s.spool.accept(newEntry(1))
      await s.spool.replace(1, [newEntry(1, { state, body: null })])
      expect(s.spool.quarantined('Policy').map((e) => [e.mid, e.state])).toEqual([[1, state]])
      expect(s.spool.quarantined('Other')).toEqual([])
      expect(s.spool.work(0, 10)).toEqual([])
      expect(s.spool.gauges()).toMatchObject({ quarantined: 1, inWork: 0, bytes: 40 })
    })

    it('knows what is due by domain, in the order of the attempts', async () => {
      await s.spool.accept(queued(1))
      await s.spool.accept(queued(2, { recipients: [{ rid: 0, address: 'x@other.example' }] }))
      const now = clock.now()
      expect([...s.spool.dueDomains(new Date(0), now)].sort()).toEqual(['example.com', 'other.example'])
      expect(s.spool.dueFor('example.com', now, 10).map((r) => r.address)).toEqual([
        'bob@example.com',
        'Carol@Example.COM',
      ])
      const later = new Date(now.getTime() + 60_000)
      await s.spool.delay(1, [0, 1], later, 'try later')
      expect(s.spool.dueFor('example.com', now, 10)).toEqual([])
      expect(s.spool.nextDueAfter(now)).toEqual(later)
      expect(s.spool.due(later, 10)).toHaveLength(3)
      expect(s.spool.queued(1)[0]).toMatchObject({ attempts: 1, lastError: 'try later', nextAttemptAt: later })
      expect(s.spool.expired(new Date(now.getTime() + 1), 10)).toHaveLength(3)
      expect(s.spool.expired(now, 10)).toEqual([])
    })

    it('writes the ledger with the delivery, once', async () => {
      const entry = queued(1)
      await s.spool.accept(entry)
      await s.spool.delivered([delivery(entry, 0)])
      await s.spool.delivered([delivery(entry, 0)])
      expect(s.ledger.byRoot(1)).toEqual([delivery(entry, 0)])
      expect(s.ledger.bySubject('hello', new Date(0))).toHaveLength(1)
      expect(s.ledger.mailboxes()).toBe(1)
      expect(s.spool.queued(1).map((r) => r.rid)).toEqual([1])
      await s.ledger.prune(new Date('2023-01-01'))
      expect(s.ledger.byRoot(1)).toEqual([])
    })

    it('takes failed recipients out and the notification in together', async () => {
      await s.spool.accept(queued(1))
      const dsn = newEntry(2, { state: { kind: 'queued' }, sender: '', body: Buffer.from('dsn') })
      expect(await s.spool.bounce(1, [0], dsn)).toBe(false)
      expect(s.spool.queued(2)).toHaveLength(1)
      expect(await s.spool.bounce(1, [1], null)).toBe(true)
      expect(s.spool.entry(1)).toBeUndefined()
      expect((await s.spool.body(2)).toString()).toBe('dsn')
    })

    it('takes many recipients out at once, and with the last one the message and its body', async () => {
      await s.spool.accept(newEntry(1, { recipients: two, body: BIG }))
      await s.spool.replace(1, [
        queued(1, { recipients: [two[0]!], body: null }),
        queued(2, { rootMid: 1, recipients: [two[1]!], body: null }),
      ])
      await s.spool.accept(queued(3))
      const rows = (mid: number) => s.spool.queued(mid)
      expect([...(await s.spool.discard([...rows(1), rows(3)[0]!]))]).toEqual([1])
      expect(bodies()).toHaveLength(1)
      expect(rows(3).map((r) => r.rid)).toEqual([1])
      expect(s.spool.due(clock.now(), 10).map((r) => [r.mid, r.rid])).toEqual([
        [2, 1],
        [3, 1],
      ])
      expect([...(await s.spool.discard([...rows(2), ...rows(3)]))].sort()).toEqual([2, 3])
      expect(bodies()).toEqual([])
      expect(s.spool.entry(3)).toBeUndefined()
    })

    it('takes a message in once per key', async () => {
      expect(await s.spool.acceptOnce('alert-1', queued(1))).toBe(1)
      expect(await s.spool.acceptOnce('alert-1', queued(2))).toBe(1)
      expect(await Promise.all([3, 4].map((mid) => s.spool.acceptOnce('alert-2', queued(mid))))).toEqual([3, 3])
      expect([2, 4].map((mid) => s.spool.entry(mid))).toEqual([undefined, undefined])
    })

    it('sets a truncated body aside and lets the others flow', async () => {
      await s.spool.accept(queued(1, { body: BIG }))
      await s.spool.accept(queued(2))
      truncateSync(join(dir.home, 'spool', 'bodies', '1.body'), 10)
      await expect(s.spool.body(1)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      await s.spool.setAside(1, 'checksum')
      expect(s.asideMids).toEqual([1])
      expect(s.spool.due(clock.now(), 10).map((r) => r.mid)).toEqual([2, 2])
      expect(readFileSync(join(dir.home, 'spool', 'corrupt', '1.eml'))).toHaveLength(10)
      expect(existsSync(join(dir.home, 'spool', 'corrupt', '1.json'))).toBe(true)
      expect(bodies()).toEqual([])
    })

    it('sets an entry with a changed envelope aside by itself', async () => {
      await s.spool.accept(newEntry(1))
      await s.spool.accept(newEntry(2))
      await s.close()
      const db = new Database(join(dir.home, 'spool', 'spool.db'))
      db.exec(`UPDATE entry SET meta = replace(meta, 'bob@', 'eve@') WHERE mid = 1`)
      db.close()
      s = await openSpool(clock, dir.home, newWriter)
      expect(s.spool.work(0, 10).map((e) => e.mid)).toEqual([2])
      while (s.asideMids.length === 0) await settle()
      expect(s.spool.state(1)).toBeUndefined()
    })

    it('keeps nothing of a message that could not be written', async () => {
      await s.spool.accept(newEntry(1))
      await expect(s.spool.replace(1, [queued(2, { body: BIG, recipients: [two[0]!, two[0]!] })])).rejects.toBeDefined()
      expect(bodies()).toEqual([])
      expect(s.spool.entry(1)).toBeDefined()
      expect(s.spool.entry(2)).toBeUndefined()
    })

    it('gives ids on after a clean stop and never twice after a crash', async () => {
      expect([s.counters.next('mid'), s.counters.next('mid'), s.counters.next('icid')]).toEqual([1, 2, 1])
      await s.counters.close()
      const second = await createCounters(s.database)
      const given = Array.from({ length: 10_000 }, () => 0)
      // An id is refused, never repeated, while the next block is not on stable storage.
      for (const i of given.keys()) given[i] = await nextWhenReserved(second)
      expect(given[0]).toBe(3)
      expect(new Set(given).size).toBe(10_000)
      expect(second.current('mid')).toBe(10_002)
      const afterCrash = await createCounters(s.database)
      expect(afterCrash.next('mid')).toBeGreaterThan(10_002)
    })
  })

suite('inline', inlineWriter)
suite('worker', workerWriter)
