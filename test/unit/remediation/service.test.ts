import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { remediation as section } from '../../../src/config/sections/remediation.ts'
import { urlFiltering } from '../../../src/config/sections/url-filtering.ts'
import { UserError } from '../../../src/core/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { delivery, remediationRig } from '../../support/remediation.ts'
import type { RemediationRig } from '../../support/remediation.ts'

const live = new AbortController().signal
const BAD = 'http://bad.example/x'

describe('mailbox remediation', () => {
  let rig: RemediationRig
  beforeEach(async () => {
    rig = await remediationRig()
  })
  afterEach(() => rig.end())
  const verdict = (rootMids: readonly number[], key = 'k1', url = BAD) =>
    rig.remediation.enqueue({ key, url, rootMids })
  const drain = () => rig.remediation.drain(live)
  const states = () => rig.remediation.list().map((j) => j.state)
  const published = (type: string) => rig.events.filter((e) => e.type === type)

  it('deletes each delivered copy and tells so in the order of the reference', async () => {
    rig.deliver(delivery(6), delivery(6, { rid: 1, recipient: 'b@example.com' }))
    expect(await verdict([6])).toBe(2)
    await drain()
    expect(rig.mailboxes.deleted).toEqual(['6 user6@example.com', '6 b@example.com'])
    expect(rig.events.filter((e) => 'recipient' in e && e.recipient === 'b@example.com')).toEqual([
      { type: 'remediation.deleted', mid: 6, recipient: 'b@example.com' },
      { type: 'remediation.succeeded', mid: 6, recipient: 'b@example.com', profile: 'embedded_mailboxes' },
      {
        type: 'remediation.result',
        mid: 6,
        recipient: 'b@example.com',
        action: 'Delete',
        profile: 'embedded_mailboxes',
        status: 'Remediated',
      },
    ])
  })

  it('acts once, however often the same verdict, the same URL or another URL of the message comes', async () => {
    rig.deliver(delivery(1))
    await verdict([1])
    await drain()
    expect(await verdict([1])).toBe(0)
    expect(await verdict([1], 'k2')).toBe(0)
    expect(await verdict([1], 'k3', 'http://other.example/')).toBe(0)
    await rig.restart()
    await verdict([1], 'k4')
    await drain()
    expect(rig.mailboxes.deleted).toHaveLength(1)
    expect(states()).toEqual(['done'])
  })

  it('deletes once when two URLs of a message turn malicious before the first is acted on', async () => {
    rig.deliver(delivery(1))
    await verdict([1])
    await verdict([1], 'k2', 'http://other.example/')
    await drain()
    expect(rig.mailboxes.deleted).toHaveLength(1)
    expect(published('remediation.result')).toHaveLength(1)
  })

  it('does nothing while Mailbox Auto Remediation is off, nor with outgoing or undelivered mail', async () => {
    rig.deliver(delivery(1), delivery(2, { direction: 'outgoing' }))
    rig.config.set(urlFiltering, { marEnabled: false })
    expect(await verdict([1])).toBe(0)
    rig.config.set(urlFiltering, { marEnabled: true })
    expect(await verdict([2, 3], 'k2')).toBe(0)
    await drain()
    expect(rig.mailboxes.deleted).toEqual([])
  })

  it('finds copies that are delivered after the verdict came', async () => {
    await verdict([5])
    rig.deliver(delivery(50, { rootMid: 5 }))
    await drain()
    await drain()
    expect(rig.mailboxes.deleted).toEqual(['50 user50@example.com'])
  })

  it('skips, and reports, what has no mapping, no Message-ID, no confirmed copy, or is not there', async () => {
    rig.config.set(section, { domainMap: [{ domain: 'Example.COM', profile: 'embedded_mailboxes' }] })
    rig.deliver(delivery(1, { recipient: 'a@other.example' }), delivery(2, { messageId: null }), delivery(3))
    rig.mailboxes.put(delivery(3), false)
    rig.record(delivery(4))
    await verdict([1, 2, 3, 4])
    await drain()
    expect(states()).toEqual(['skipped', 'skipped', 'skipped', 'skipped'])
    const told = rig.events.flatMap((e) => (e.type === 'remediation.skipped' ? [[e.mid, e.profile, e.reason]] : []))
    expect(told.sort()).toEqual([
      [1, null, 'no mailbox profile is mapped to the domain'],
      [2, 'embedded_mailboxes', 'the message has no Message-ID to find it by'],
      [3, 'embedded_mailboxes', 'not ours'],
      [4, 'embedded_mailboxes', 'the message was not found in the mailbox'],
    ])
    expect(rig.mailboxes.deleted).toEqual([])
    expect(rig.mailboxes.present.size).toBe(3)
  })

  it('acts on a message without a Message-ID where the mailbox can be searched by other evidence', async () => {
    Object.assign(rig.mailboxes, { findsWithoutId: true })
    rig.deliver(delivery(2, { messageId: null }))
    await verdict([2])
    await drain()
    expect(states()).toEqual(['done'])
  })

  it('takes out what a quarantine released at the end of its retention, long after the verdict', async () => {
    await verdict([1])
    // Policy holds for ten days.
    await rig.env.clock.advance(11 * 24 * 3600_000)
    rig.deliver(delivery(1))
    await drain()
    expect(rig.mailboxes.deleted).toEqual(['1 user1@example.com'])
  })

  it('forwards, and forwards and deletes', async () => {
    rig.deliver(delivery(1), delivery(2))
    rig.config.set(urlFiltering, { marAction: 'forward', marForwardTo: 'soc@example.com' })
    await verdict([1])
    rig.config.set(urlFiltering, { marAction: 'forward_and_delete' })
    await verdict([2], 'k2')
    await drain()
    expect([...rig.mailboxes.forwarded]).toEqual([
      ['1/0', 'soc@example.com'],
      ['2/0', 'soc@example.com'],
    ])
    expect(rig.mailboxes.deleted).toEqual(['2 user2@example.com'])
    const told = rig.events.filter((e) => 'mid' in e && e.mid === 2).map((e) => e.type)
    expect(told).toEqual([
      'remediation.forwarded',
      'remediation.deleted',
      'remediation.succeeded',
      'remediation.result',
    ])
    expect(published('remediation.result')).toMatchObject([{ action: 'Forward' }, { action: 'Forward and Delete' }])
  })

  it('tries again with growing pauses, as long as the provider asks, and then gives up with an alert', async () => {
    rig.config.set(section, { maxAttempts: 3 })
    rig.deliver(delivery(1))
    rig.mailboxes.outcomes.push(
      { status: 'throttled', detail: 'slow down', retryAfterMs: 600_000 },
      new Error('no answer'),
      { status: 'forbidden', detail: 'EACCES' },
    )
    await verdict([1])
    await drain()
    await rig.env.clock.advance(599_000)
    await drain()
    expect(rig.remediation.list()[0]).toMatchObject({ state: 'pending', attempts: 1, detail: 'slow down' })
    await rig.env.clock.advance(1000)
    await drain()
    expect(rig.remediation.list()[0]).toMatchObject({ state: 'pending', attempts: 2, detail: 'no answer' })
    await rig.env.clock.advance(80_000)
    await drain()
    expect(rig.remediation.list()[0]).toMatchObject({ state: 'failed', attempts: 3, detail: 'EACCES' })
    expect(published('remediation.failed').map((e) => 'willRetry' in e && e.willRetry)).toEqual([true, true, false])
    expect(published('remediation.result')).toMatchObject([{ status: 'Failed' }])
    expect(rig.alerts.map((a) => a.class)).toEqual(['Remediation'])
  })

  it('succeeds at a later attempt, by its own loop', async () => {
    rig.deliver(delivery(1))
    rig.mailboxes.outcomes.push({ status: 'failed', detail: 'locked' })
    await rig.remediation.start(rig.config, live)
    await settle()
    await verdict([1])
    await settle()
    expect(states()).toEqual(['pending'])
    await rig.env.clock.advance(40_000)
    expect(states()).toEqual(['done'])
  })

  it('is not held back by a clock that went back', async () => {
    rig.deliver(delivery(1))
    rig.mailboxes.outcomes.push({ status: 'failed', detail: 'locked' })
    await rig.env.clock.advance(365 * 24 * 3600_000)
    await verdict([1])
    await drain()
    expect(rig.store.due(new Date('2022-03-30T00:20:10Z'), 10)).toHaveLength(1)
  })

  it('records an undo that was killed before it was noted, only where the message is back by evidence', async () => {
    rig.deliver(delivery(1), delivery(2))
    await verdict([1, 2])
    await drain()
    for (const job of rig.remediation.list()) await rig.mailboxes.undo(job.delivery.mid + '/0')
    rig.mailboxes.put(delivery(2), false)
    await rig.restart()
    const id = (mid: number) => rig.remediation.list({ mid })[0]?.id ?? 0
    await rig.remediation.undo(id(1), 'admin', live)
    await expect(rig.remediation.undo(id(2), 'admin', live)).rejects.toThrow('could not be undone: no longer held')
    expect([rig.remediation.job(id(1))?.state, rig.remediation.job(id(2))?.state]).toEqual(['undone', 'done'])
    expect(published('remediation.undone')).toMatchObject([{ mid: 1 }])
  })

  it('goes on after a kill between acting and noting it, and acts once', async () => {
    rig.deliver(delivery(1))
    rig.mailboxes.dieAfterActing = new Error('killed')
    await verdict([1])
    await drain()
    rig.mailboxes.dieAfterActing = null
    await rig.restart()
    await rig.env.clock.advance(60_000)
    await drain()
    expect(states()).toEqual(['done'])
    expect(rig.mailboxes.deleted).toHaveLength(1)
    expect(published('remediation.deleted')).toHaveLength(1)
    await rig.remediation.undo(1, 'admin', live)
    expect(rig.mailboxes.present.size).toBe(1)
  })

  it('goes on after a kill before acting, from what it had recorded', async () => {
    rig.deliver(delivery(1))
    await verdict([1])
    await rig.restart()
    expect(rig.remediation.pending()).toBe(1)
    await drain()
    expect(rig.mailboxes.deleted).toHaveLength(1)
  })

  it('puts a message back once, and leaves it alone when the same URL comes again', async () => {
    rig.deliver(delivery(1))
    await verdict([1])
    await drain()
    await rig.remediation.undo(1, 'admin', live)
    expect(states()).toEqual(['undone'])
    expect(published('remediation.undone')).toEqual([
      { type: 'remediation.undone', mid: 1, recipient: 'user1@example.com', user: 'admin' },
    ])
    await expect(rig.remediation.undo(1, 'admin', live)).rejects.toThrow(UserError)
    await expect(rig.remediation.undo(77, 'admin', live)).rejects.toThrow('There is no remediation job 77.')
    expect(await verdict([1], 'k2')).toBe(0)
    expect(await verdict([1], 'k3', 'http://worse.example/')).toBe(1)
  })

  it('takes messages with the same subject only when that is set', async () => {
    rig.deliver(delivery(1, { subject: 'Invoice' }), delivery(2, { subject: 'Invoice' }), delivery(3, { subject: '' }))
    expect(await verdict([1])).toBe(1)
    rig.config.set(section, { sameSubject: true })
    expect(await verdict([1, 3], 'k2', 'http://two.example/')).toBe(3)
  })
})

describe('the blast guard', () => {
  let rig: RemediationRig
  beforeEach(async () => {
    rig = await remediationRig()
    rig.known = 100_000
  })
  afterEach(() => rig.end())
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
  const verdict = (rootMids: readonly number[], key: string, url = BAD) =>
    rig.remediation.enqueue({ key, url, rootMids })
  const waiting = () => rig.remediation.list({ state: 'waiting-approval' })

  it('lets a hundred messages of one verdict through and holds one more, in one or in several parts', async () => {
    rig.deliver(...range(1, 202).map((m) => delivery(m)))
    await verdict(range(1, 100), 'a')
    expect(waiting()).toHaveLength(0)
    await verdict([101], 'b')
    expect(waiting()).toHaveLength(1)
    await verdict(range(102, 101), 'c')
    expect(waiting()).toHaveLength(102)
    await rig.remediation.drain(live)
    expect(rig.mailboxes.deleted).toHaveLength(100)
    expect(rig.alerts).toHaveLength(1)
    expect(rig.alerts[0]?.text).toContain('more than 100 messages for one verdict')
    expect(rig.alerts[0]?.text).toContain("'remediation approve 2'")
  })

  it('runs what an operator approved, and only once', async () => {
    rig.deliver(...range(1, 150).map((m) => delivery(m)))
    await verdict(range(1, 150), 'a')
    await rig.restart()
    const batch = waiting()[0]?.batch ?? 0
    expect(await rig.remediation.approve(batch, 'admin')).toBe(150)
    await expect(rig.remediation.approve(batch, 'admin')).rejects.toThrow('does not wait for approval')
    await rig.remediation.drain(live)
    expect(rig.mailboxes.deleted).toHaveLength(150)
    expect(rig.events.find((e) => e.type === 'remediation.approved')).toMatchObject({ batch, user: 'admin' })
  })

  it('holds more than twenty mailboxes in an hour where few are known, in one batch with one alert', async () => {
    rig.known = 1999
    rig.deliver(...range(1, 40).map((m) => delivery(m)))
    for (const m of range(1, 40)) await verdict([m], `k${m}`, `http://x.example/${m}`)
    expect(new Set(waiting().map((j) => j.batch)).size).toBe(1)
    expect(waiting()).toHaveLength(20)
    expect(rig.alerts).toHaveLength(1)
    expect(rig.alerts[0]?.text).toContain('more than 20 mailboxes in one hour')
  })

  it('counts one hour, and one percent of the mailboxes known', async () => {
    rig.known = 3000
    rig.deliver(...range(1, 61).map((m) => delivery(m)))
    await verdict(range(1, 30), 'a')
    await rig.env.clock.advance(3601_000)
    await verdict(range(31, 30), 'b', 'http://b.example/')
    expect(waiting()).toHaveLength(0)
    await verdict([61], 'c', 'http://c.example/')
    expect(waiting()).toHaveLength(1)
  })

  it('takes ten thousand verdicts at once', async () => {
    rig.deliver(...range(1, 10_000).map((m) => delivery(m)))
    await verdict(range(1, 10_000), 'all')
    expect(rig.remediation.pending()).toBe(0)
    expect(rig.alerts).toHaveLength(1)
    expect(await rig.remediation.approve(1, 'admin')).toBe(10_000)
    expect(rig.remediation.pending()).toBe(10_000)
  })
})
