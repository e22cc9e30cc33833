import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remediation as section } from '../../../src/config/sections/remediation.ts'
import { urlFiltering } from '../../../src/config/sections/url-filtering.ts'
import { delivery, remediationRig } from '../../support/remediation.ts'
import type { FakeMailboxes, RemediationRig } from '../../support/remediation.ts'

const live = new AbortController().signal
const BAD = 'http://bad.example/x'

/** The user has made a copy of the delivered message. */
const twoCopies = (rig: RemediationRig): FakeMailboxes => {
  rig.mailboxes.find = async function* (target) {
    for (const id of ['a', 'b'])
      yield { mailbox: target.recipient, id, folder: 'INBOX', confirmed: true, evidence: 'id in our Received header' }
    await Promise.resolve()
  }
  for (const id of ['a', 'b']) rig.mailboxes.present.set(id, { confirmed: true })
  return rig.mailboxes
}

describe('a verdict that goes back to clean', () => {
  let rig: RemediationRig
  beforeEach(async () => {
    rig = await remediationRig()
  })
  afterEach(() => rig.end())
  const verdict = (rootMids: readonly number[], key = 'k1') => rig.remediation.enqueue({ key, url: BAD, rootMids })
  const drain = () => rig.remediation.drain(live)
  const states = () => rig.remediation.list().map((j) => j.state)

  it('offers what was deleted for undo, with an alert, and does nothing by itself', async () => {
    rig.deliver(delivery(1), delivery(2))
    await verdict([1, 2])
    await drain()
    await rig.remediation.turn(BAD, true)
    await rig.remediation.turn(BAD, true)
    await rig.restart()
    expect(rig.remediation.offered().map((j) => j.delivery.mid)).toEqual([2, 1])
    expect(rig.mailboxes.present.size).toBe(0)
    expect(rig.alerts).toHaveLength(1)
    expect(rig.alerts[0]?.text).toContain('Deleted messages that can be put back: 2.')
    for (const { id } of rig.remediation.offered()) await rig.remediation.undo(id, 'admin', live)
    expect(rig.mailboxes.present.size).toBe(2)
    expect(rig.remediation.offered()).toEqual([])
    expect(rig.events.filter((e) => e.type === 'remediation.undone')).toHaveLength(2)
  })

  it('offers what a job had deleted before its verdict was withdrawn, although the job never ended', async () => {
    rig.deliver(delivery(1))
    const { held } = twoCopies(rig)
    rig.mailboxes.outcomes.push({ status: 'done', held: 'a' }, { status: 'throttled', detail: 'later' })
    held.add('a')
    await verdict([1])
    await drain()
    await rig.remediation.turn(BAD, true)
    expect(states()).toEqual(['withdrawn'])
    expect(rig.alerts.at(-1)?.text).toContain('Deleted messages that can be put back: 1.')
    const [job] = rig.remediation.offered()
    await rig.remediation.undo(job?.id ?? 0, 'admin', live)
    expect(held.size).toBe(0)
    expect(states()).toEqual(['undone'])
    expect(rig.remediation.offered()).toEqual([])
  })

  it('puts back the second of two copies when the first one is back already', async () => {
    rig.deliver(delivery(1))
    const { held } = twoCopies(rig)
    await verdict([1])
    await drain()
    const undo = rig.mailboxes.undo
    rig.mailboxes.undo = async (name) =>
      name === 'b' ? { status: 'failed', detail: 'Another message has the name.' } : await undo(name)
    await expect(rig.remediation.undo(1, 'admin', live)).rejects.toThrow('1 of 2 copies are back')
    rig.mailboxes.undo = undo
    await rig.remediation.undo(1, 'admin', live)
    expect(held.size).toBe(0)
    expect(states()).toEqual(['undone'])
  })

  it('says that a forwarded message cannot be undone', async () => {
    rig.config.set(urlFiltering, { marAction: 'forward', marForwardTo: 'soc@example.com' })
    rig.deliver(delivery(1))
    await verdict([1])
    await drain()
    await rig.remediation.turn(BAD, true)
    expect(rig.remediation.offered()).toEqual([])
    expect(rig.alerts[0]?.text).toContain('Forwarded messages, which cannot be undone: 1.')
    const [job] = rig.remediation.list()
    await expect(rig.remediation.undo(job?.id ?? 0, 'admin', live)).rejects.toThrow('That cannot be undone')
  })

  it('stops what waits, also for late deliveries, and goes on with it when the verdict comes again', async () => {
    rig.deliver(delivery(1))
    await verdict([1])
    await rig.remediation.turn(BAD, true)
    await drain()
    rig.deliver(delivery(1, { rid: 1, recipient: 'late@example.com' }))
    await drain()
    expect(states()).toEqual(['withdrawn'])
    expect(rig.mailboxes.deleted).toEqual([])
    await rig.remediation.turn(BAD, false)
    await drain()
    expect([...rig.mailboxes.deleted].sort()).toEqual(['1 late@example.com', '1 user1@example.com'])
  })

  it('lets a batch that waited for approval wait for it again', async () => {
    rig.config.set(section, { guardMessages: 1 })
    rig.deliver(delivery(1), delivery(2))
    await verdict([1, 2])
    await rig.remediation.turn(BAD, true)
    expect(states()).toEqual(['withdrawn', 'withdrawn'])
    await rig.remediation.turn(BAD, false)
    expect(states()).toEqual(['waiting-approval', 'waiting-approval'])
  })
})

describe('a held batch that is denied', () => {
  const OTHER = 'http://other.example/y'
  let rig: RemediationRig
  beforeEach(async () => {
    rig = await remediationRig()
    rig.config.set(section, { guardMailboxes: 1, guardMailboxPercent: 0 })
    rig.deliver(delivery(1), delivery(2), delivery(3), delivery(4))
    await rig.remediation.enqueue({ key: 'k1', url: BAD, rootMids: [1, 2] })
    await rig.remediation.enqueue({ key: 'k2', url: OTHER, rootMids: [3, 4] })
  })
  afterEach(() => rig.end())
  const batch = () => rig.remediation.list()[0]?.batch ?? 0
  const states = () => rig.remediation.list().map((j) => j.state)

  it('while all of it is withdrawn stays held: the verdict that comes again waits, and deletes nothing', async () => {
    await rig.remediation.turn(BAD, true)
    await rig.remediation.turn(OTHER, true)
    await expect(rig.remediation.deny(batch(), 'admin')).rejects.toThrow('does not wait for approval')
    await rig.remediation.turn(BAD, false)
    await rig.remediation.drain(live)
    expect(rig.mailboxes.deleted).toEqual([])
    expect(states()).toEqual(['withdrawn', 'withdrawn', 'waiting-approval', 'waiting-approval'])
  })

  it('ends with what is withdrawn of it: a verdict that comes again revives nothing', async () => {
    expect(new Set(rig.remediation.list().map((j) => j.batch)).size).toBe(1)
    await rig.remediation.turn(BAD, true)
    expect(await rig.remediation.deny(batch(), 'admin')).toBe(2)
    expect(states()).toEqual(Array(4).fill('skipped'))
    await rig.remediation.turn(BAD, false)
    await rig.remediation.drain(live)
    expect(rig.mailboxes.deleted).toEqual([])
    expect(states()).toEqual(Array(4).fill('skipped'))
  })
})

describe('a long list of copies', () => {
  it('stops in the middle when its verdict is withdrawn, and counts them all', async () => {
    const rig = await remediationRig()
    try {
      rig.config.set(section, { guardMessages: 10_000, guardMailboxes: 10_000 })
      rig.deliver(...Array.from({ length: 100 }, (_, n) => delivery(n + 1)))
      await rig.remediation.enqueue({ key: 'k', url: BAD, rootMids: Array.from({ length: 100 }, (_, n) => n + 1) })
      const { remedy } = rig.mailboxes
      const turned: Promise<void>[] = []
      rig.mailboxes.remedy = (...args) => {
        if (turned.length === 0) turned.push(rig.remediation.turn(BAD, true))
        return remedy(...args)
      }
      await rig.remediation.drain(live)
      await Promise.all(turned)
      const deleted = rig.mailboxes.deleted.length
      expect(deleted).toBeLessThan(50)
      expect(rig.events.find((e) => e.type === 'remediation.withdrawn')).toMatchObject({
        back: deleted,
        stopped: 100 - deleted,
      })
    } finally {
      await rig.end()
    }
  })

  it('offers old deletions for undo although many newer jobs deleted nothing', async () => {
    const rig = await remediationRig()
    try {
      rig.deliver(...Array.from({ length: 6 }, (_, n) => delivery(n + 1)))
      await rig.remediation.enqueue({ key: 'k', url: BAD, rootMids: [1, 2, 3, 4, 5, 6] })
      await rig.remediation.drain(live)
      await rig.remediation.turn(BAD, true)
      for (const { id } of rig.remediation.list().slice(0, 4)) {
        const job = rig.store.job(id)
        if (job) await rig.store.update(id, { ...job, held: [], at: rig.env.clock.now() })
      }
      expect(rig.store.offered(2).map((j) => j.delivery.mid)).toEqual([2, 1])
    } finally {
      await rig.end()
    }
  })
})

describe('a batch that waits for approval', () => {
  let rig: RemediationRig
  beforeEach(async () => {
    rig = await remediationRig()
    rig.config.set(section, { guardMessages: 1 })
    rig.deliver(delivery(1), delivery(2), delivery(3))
  })
  afterEach(() => rig.end())

  it('names the source that turned the URL, in the alert and in each job', async () => {
    const cause = async () => 'demo_feed (bad.example: URLhaus 2131)'
    await rig.remediation.enqueue({ key: 'k', url: BAD, rootMids: [1, 2], cause })
    const said = 'more than 1 message for one verdict; the verdict came from demo_feed (bad.example: URLhaus 2131)'
    expect(rig.alerts[0]?.text).toContain(said)
    expect(rig.remediation.list()[0]?.detail).toBe(said)
  })

  it('ends when it is denied, over a restart; the next verdict makes one of its own', async () => {
    await rig.remediation.enqueue({ key: 'k', url: BAD, rootMids: [1, 2] })
    const batch = rig.remediation.list()[0]?.batch ?? 0
    expect(await rig.remediation.deny(batch, 'admin')).toBe(2)
    await rig.restart()
    await expect(rig.remediation.deny(batch, 'admin')).rejects.toThrow('does not wait for approval')
    await expect(rig.remediation.approve(batch, 'admin')).rejects.toThrow('does not wait for approval')
    await rig.remediation.drain(live)
    expect(rig.mailboxes.deleted).toEqual([])
    expect(rig.remediation.list().map((j) => [j.state, j.detail])).toEqual(
      Array(2).fill(['skipped', 'denied by admin']),
    )
    await rig.remediation.enqueue({ key: 'k2', url: BAD, rootMids: [3] })
    expect(rig.remediation.list()[0]).toMatchObject({ state: 'waiting-approval' })
    expect(rig.remediation.list()[0]?.batch).not.toBe(batch)
  })
})
