import { describe, expect, it } from 'vitest'
import { createEventBus } from '../../../src/events/bus.ts'
import { createCounters } from '../../../src/events/counters.ts'
import type { CounterState } from '../../../src/events/counters.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const setUp = (kept: CounterState | null = null) => {
  const clock = new FakeClock()
  const bus = createEventBus(clock)
  const saved: CounterState[] = []
  const counters = createCounters({ bus, clock, store: { load: () => kept, save: (state) => saved.push(state) } })
  const receive = (n: number) => {
    for (let mid = 1; mid <= n; mid++) bus.publish({ type: 'message.ready', mid, bytes: 1, sender: 'a@example.com' })
  }
  return { clock, bus, counters, saved, receive }
}

describe('counters', () => {
  it('count what was published, since start and ever', () => {
    const first = setUp()
    first.receive(3)
    first.bus.publish({ type: 'delivery.done', dcid: 0, mid: 1, rids: [0, 1], local: true })
    first.counters.close()
    const second = setUp(first.saved.at(-1))
    second.receive(1)
    expect(second.counters.value('messagesReceived', 'uptime')).toBe(1)
    expect(second.counters.value('messagesReceived', 'lifetime')).toBe(4)
    expect(second.counters.value('messagesReceived', 'reset')).toBe(4)
    expect(second.counters.value('completedRecipients', 'lifetime')).toBe(2)
    expect(second.counters.lastReset).toBeNull()
  })

  it('show how many connections are open', () => {
    const { bus, counters } = setUp()
    const opened = {
      type: 'connection.opened',
      listener: 'a',
      interfaceName: 'Data 1',
      interfaceAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
      reverseHost: null,
      reverseVerified: false,
    } as const
    bus.publish({ ...opened, icid: 1 })
    bus.publish({ ...opened, icid: 2 })
    bus.publish({ type: 'connection.closed', icid: 1, how: 'close' })
    expect(counters.gauge('inboundConnections')).toBe(1)
    expect(counters.gauge('outboundConnections')).toBe(0)
  })

  it('give the rates of the guide: 100 in a minute are 6,000, 1,200 and 400 an hour', async () => {
    const { clock, counters, receive } = setUp()
    await clock.advance(3_600_000)
    receive(100)
    expect([1, 5, 15].map((m) => counters.rate('messagesReceived', m as 1))).toEqual([6000, 1200, 400])
    await clock.advance(60_000)
    expect([1, 5, 15].map((m) => counters.rate('messagesReceived', m as 1))).toEqual([0, 1200, 400])
    await clock.advance(15 * 60_000)
    expect(counters.rate('messagesReceived', 15)).toBe(0)
  })

  it('are saved while something changes, and at the end', async () => {
    const { clock, counters, saved, receive } = setUp()
    const stop = new AbortController()
    const running = counters.run(stop.signal)
    await clock.advance(60_000)
    expect(saved).toHaveLength(0)
    receive(1)
    await clock.advance(20_000)
    expect(saved).toHaveLength(1)
    receive(1)
    stop.abort()
    await running
    counters.close()
    expect(saved.at(-1)?.lifetime.messagesReceived).toBe(2)
    receive(1)
    expect(counters.value('messagesReceived', 'uptime')).toBe(2)
  })

  it('begin again at 0 when they are reset, which a restart keeps', () => {
    const first = setUp()
    first.receive(3)
    first.counters.reset()
    first.receive(2)
    expect(first.counters.value('messagesReceived', 'reset')).toBe(2)
    expect(first.counters.value('messagesReceived', 'uptime')).toBe(5)
    expect(first.counters.lastReset).toEqual(first.clock.now())
    first.counters.close()
    const second = setUp(first.saved.at(-1))
    expect(second.counters.value('messagesReceived', 'reset')).toBe(2)
    expect(second.counters.lastReset).toEqual(first.clock.now())
  })

  it('tell hard bounces by their cause, and count what was deleted as completed', () => {
    const { bus, counters } = setUp()
    const about = { dcid: 0, mid: 1, rid: 0, recipient: 'a@b.example', reason: '', responses: [] }
    bus.publish({ type: 'delivery.bounced', ...about, status: '5.1.2', code: '000' })
    bus.publish({ type: 'delivery.bounced', ...about, status: '5.1.1', code: '550' })
    bus.publish({ type: 'delivery.double-bounced', mid: 1, rid: 0, status: '5.4.7', reason: '' })
    bus.publish({ type: 'delivery.deleted', mid: 2, rids: [0, 1], by: 'admin' })
    const value = (name: Parameters<typeof counters.value>[0]) => counters.value(name, 'uptime')
    expect([value('dnsHardBounces'), value('refusedHardBounces'), value('expiredHardBounces')]).toEqual([1, 1, 1])
    expect([value('hardBouncedRecipients'), value('deletedRecipients'), value('completedRecipients')]).toEqual([
      3, 2, 5,
    ])
  })
})
