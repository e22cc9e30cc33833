import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createQueueControl } from '../../../src/services/queue-control.ts'
import type { QueueControl } from '../../../src/services/queue-control.ts'
import { createTraffic } from '../../../src/services/traffic.ts'
import type { Traffic } from '../../../src/services/traffic.ts'
import type { NewSpoolEntry } from '../../../src/store/spool.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPath } from '../../support/mail-path.ts'
import { newEntry } from '../../support/spool.ts'

let path: MailPath
let queue: QueueControl
let traffic: Traffic
let clock: FakeClock
const { signal } = new AbortController()
const withdrawn: number[] = []
const workQueue = {
  withdraw: async (mid: number, act: () => Promise<void>) => {
    withdrawn.push(mid)
    await act()
    return true
  },
  passed: () => ({ taken: 0, done: 0 }),
  wake: () => undefined,
}
const accept = async (mid: number, over: Partial<NewSpoolEntry> = {}) =>
  path.spool.accept(newEntry(mid, { state: { kind: 'queued' }, ...over }))
const to = (...addresses: string[]) => ({ recipients: addresses.map((address, rid) => ({ rid, address })) })
const left = () => path.view.page(null, 1000).map((r) => [r.mid, r.address])

beforeEach(async () => {
  clock = new FakeClock()
  path = await mailPath({ clock })
  const { events, spool, view, hosts, config, suspensions, smtp } = path
  const env = { clock, entropy: { bytes: (n: number) => new Uint8Array(n), int: () => 0 } }
  queue = createQueueControl({ env, events, spool, view, hosts, hold: path.queue.hold, workQueue })
  traffic = createTraffic({ suspensions, config, events, listeners: smtp, hold: path.queue.hold, workQueue })
  for (let i = 0; i < 5; i++) path.counters.next('mid')
  await accept(1, to('a@example.com'))
  await accept(2, { ...to('b@example.org', 'c@example.com'), sender: '' })
  await accept(3, { ...to('d@example.org'), sender: 'Bob@Sender.example' })
})
afterEach(async () => {
  await path.stop()
})

describe('queue control', () => {
  it('deletes the recipients of a host and finishes messages that have none left', async () => {
    expect(await queue.delete({ kind: 'host', host: 'example.com' }, 'admin', signal)).toEqual({
      messages: 2,
      recipients: 2,
      busy: 0,
    })
    expect(left()).toEqual([
      [2, 'b@example.org'],
      [3, 'd@example.org'],
    ])
    expect(path.of('message.finished').map((e) => e.mid)).toEqual([1])
    expect(path.of('delivery.deleted').map((e) => [e.mid, e.rids])).toEqual([
      [1, [0]],
      [2, [1]],
    ])
    expect(path.spool.entry(1)).toBeUndefined()
    expect(path.hosts.of('example.com')?.deleted).toBe(2)
  })

  it('bounces the mail of a sender with one notification a message, and not its own notifications', async () => {
    expect(await queue.bounce({ kind: 'sender', sender: 'bob@sender.example' }, 'admin', signal)).toMatchObject({
      messages: 1,
    })
    expect(path.of('delivery.bounced').map((e) => [e.mid, e.status])).toEqual([[3, '5.0.0']])
    const notice = path.of('delivery.bounce-generated')[0]?.mid ?? 0
    expect((await path.spool.body(notice)).toString()).toContain('Bounced by an administrator')
    expect(await queue.bounce({ kind: 'all' }, 'admin', signal)).toMatchObject({ messages: 3 })
    // The null sender gets none, and the notification itself was a double bounce.
    expect(
      path
        .of('delivery.double-bounced')
        .map((e) => e.mid)
        .sort(),
    ).toEqual([2, 2, notice].sort())
    expect(left().map(([, address]) => address)).toEqual(['alice@sender.example'])
  })

  it('leaves alone what is being delivered', async () => {
    const busy = path.queue.hold.take(path.spool.queued(1))
    expect(await queue.delete({ kind: 'all' }, 'admin', signal)).toEqual({ messages: 2, recipients: 3, busy: 1 })
    await expect(queue.remove(1, 'admin')).rejects.toThrow('MID 1 is being delivered at this moment. Try again.')
    path.queue.hold.give(busy)
    await queue.remove(1, 'admin')
    expect(left()).toEqual([])
  })

  it('stops between two messages when it is interrupted', async () => {
    const stop = new AbortController()
    stop.abort()
    expect(await queue.delete({ kind: 'all' }, 'admin', stop.signal)).toMatchObject({ messages: 0 })
    expect(left()).toHaveLength(4)
  })

  it('redirects everything to another host, which its own domain does not share', async () => {
    await accept(4, to('x@relay.example'))
    expect(await queue.redirect('relay.example:2525', 'admin', signal)).toMatchObject({ recipients: 5 })
    expect(path.view.busiest(9)).toEqual([{ destination: 'smtp:relay.example:2525', recipients: 5 }])
    expect(queue.host('example.com').depth.recipients).toBe(0)
  })

  it('makes recipients that wait for later due now', async () => {
    await path.spool.delay(1, [0], new Date(clock.now().getTime() + 3_600_000), '451 later')
    await path.spool.delay(3, [0], new Date(clock.now().getTime() + 3_600_000), '451 later')
    const due = () => path.spool.due(clock.now(), 10).map((r) => r.mid)
    expect(due()).toEqual([2, 2])
    await queue.deliverNow('example.com')
    expect(due()).toEqual([1, 2, 2])
    await queue.deliverNow(null)
    expect([...due()].sort()).toEqual([1, 2, 2, 3])
    expect(queue.host('example.com').depth).toEqual({ recipients: 2, attempted: 1, oldestMid: 1 })
  })

  it('removes a message from the work queue, and says why it does not remove another', async () => {
    await path.spool.accept(newEntry(5))
    await queue.remove(5, 'admin')
    expect(withdrawn).toContain(5)
    expect(path.of('message.aborted').at(-1)).toMatchObject({ mid: 5, reason: 'Removed by admin' })
    await expect(queue.remove(99, 'admin')).rejects.toThrow('MID 99 does not exist.')
  })
})

describe('traffic', () => {
  it('says what is suspended', async () => {
    expect(traffic.state()).toBe('Offline')
    await path.smtp.start(path.config, signal)
    expect(traffic.state()).toBe('Online')
    await traffic.suspendDelivery(['example.com'], 0, 'admin')
    expect(traffic.state()).toBe('Delivery suspended for example.com')
    await traffic.suspendDelivery([''], 0, 'admin')
    await traffic.pauseWork('upgrade', 'admin')
    expect(traffic.state()).toBe('Delivery suspended, Work Queue Paused')
    await traffic.suspendReceiving(['IncomingMail'], 0, 'admin')
    expect(traffic.state()).toBe('Offline')
    await traffic.resumeDelivery(['', 'example.com'], 'admin')
    await traffic.resumeWork('admin')
    expect(traffic.state()).toBe('Receiving suspended')
    await traffic.resumeReceiving(['IncomingMail'], 'admin')
    expect(traffic.state()).toBe('Online')
  })
})
