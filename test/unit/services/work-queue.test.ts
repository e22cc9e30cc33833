import { afterEach, describe, expect, it } from 'vitest'
import { quarantines } from '../../../src/config/sections/quarantines.ts'
import { messageFilters } from '../../../src/config/sections/message-filters.ts'
import { Fault } from '../../../src/core/errors.ts'
import { createQuarantineExpiry } from '../../../src/services/quarantine-expiry.ts'
import { createWorkQueue, messageFilterConsumer } from '../../../src/services/work-queue.ts'
import type { Pipeline } from '../../../src/mail/pipeline/run.ts'
import { settle } from '../../support/fake-clock.ts'
import { openPipeline } from '../../support/pipeline.ts'
import type { Suspension } from '../../../src/store/queue.ts'
import type { PipelineOptions } from '../../support/pipeline.ts'
import { newEntry } from '../../support/spool.ts'

let open: Awaited<ReturnType<typeof openPipeline>> | undefined
const start = async (options?: PipelineOptions, over?: (real: Pipeline) => Pipeline) => {
  const p = (open = await openPipeline(options))
  const pipeline = over ? over(p.pipeline) : p.pipeline
  const paused: { by: Suspension | null } = { by: null }
  const suspensions = { workQueue: () => paused.by }
  const queue = createWorkQueue({ spool: p.spool, suspensions, pipeline, env: p.env, events: p.bus, concurrency: 2 })
  return { p, queue, paused }
}
afterEach(async () => {
  await open?.dispose()
  open = undefined
})
const until = async (holds: () => boolean): Promise<void> => {
  // The scan runs in worker threads: what bounds the wait is time, not turns of the loop.
  const end = performance.now() + 10_000
  while (!holds() && performance.now() < end) await settle()
  expect(holds()).toBe(true)
}
const { signal } = new AbortController()

describe('the work queue', () => {
  it('rests while it is paused and goes on when it is woken', async () => {
    const { p, queue, paused } = await start({}, () => ({
      process: async (mid) => {
        await open?.spool.replace(mid, [])
      },
    }))
    paused.by = { what: 'work queue', name: '', by: 'admin', reason: '', since: new Date(0) }
    await p.spool.accept(newEntry(1))
    await queue.start(p.config, signal)
    await settle()
    expect(queue.passed()).toEqual({ taken: 0, done: 0 })
    paused.by = null
    queue.wake()
    await until(() => queue.passed().done === 1)
    await queue.stop(0)
  })

  it('gives a message away only while no stage works on it', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const { p, queue } = await start({}, () => ({ process: () => held }))
    await p.spool.accept(newEntry(1))
    await queue.start(p.config, signal)
    await until(() => queue.passed().taken === 1)
    const acts: number[] = []
    const act = async (): Promise<void> => void acts.push(1)
    expect(await queue.withdraw(1, act)).toBe(false)
    expect(await queue.withdraw(2, act)).toBe(true)
    expect(acts).toEqual([1])
    await p.spool.replace(1, [])
    release()
    await queue.stop(0)
  })

  it('takes up what was accepted before it started, and what comes later', async () => {
    const { p, queue } = await start()
    for (const mid of [1, 2, 3]) await p.spool.accept(newEntry(mid))
    await queue.start(p.config, signal)
    await until(() => p.of('message.queued').length === 3)
    await p.spool.accept(newEntry(4))
    queue.wake()
    await until(() => p.of('message.queued').length === 4)
    await queue.stop(0)
    expect(queue.health().state).toBe('up')
  })

  it('tries a message again that could not be processed, later and later, and lets the others pass', async () => {
    let failures = 2
    const { p, queue } = await start({}, (real) => ({
      process: async (mid, s) => {
        if (mid === 1 && failures-- > 0) throw new Fault('STORE_BUSY', 'locked')
        return real.process(mid, s)
      },
    }))
    for (const mid of [1, 2]) await p.spool.accept(newEntry(mid))
    await queue.start(p.config, signal)
    await until(() => p.of('message.queued').length === 1)
    expect(queue.health().state).toBe('degraded')
    for (let i = 0; i < 8; i++) {
      await p.env.clock.advance(1000)
      await settle()
    }
    await until(() => p.of('message.queued').length === 2)
    expect(p.of('system.fault').map((e) => [e.code, e.where])).toEqual([
      ['STORE_BUSY', 'work queue, MID 1'],
      ['STORE_BUSY', 'work queue, MID 1'],
    ])
    await queue.stop(0)
  })

  it('sets a corrupt message aside so that the others flow', async () => {
    const { p, queue } = await start({}, (real) => ({
      process: async (mid, s) => {
        if (mid === 1) throw new Fault('STORE_CORRUPT', 'checksum')
        return real.process(mid, s)
      },
    }))
    for (const mid of [1, 2]) await p.spool.accept(newEntry(mid))
    await queue.start(p.config, signal)
    await until(() => p.of('message.queued').length === 1 && p.asideMids.length === 1)
    expect(p.asideMids).toEqual([1])
    await queue.stop(0)
  })

  it('refuses a commit with an active filter that cannot run, and warns of an inactive one', async () => {
    const { p } = await start()
    const filter = { name: 'x', active: true, script: 'if true { quarantine("Gone"); }' }
    const prepare = (next: (typeof filter)[]) => messageFilterConsumer.prepare?.(next, [], p.config)
    expect(await prepare([filter])).toEqual([
      {
        path: 'message_filters.x',
        message:
          "Filter 'x' is not valid: There is no quarantine 'Gone'. Names are case-sensitive. (line 1, column 11)",
        severity: 'error',
      },
    ])
    expect(await prepare([{ ...filter, active: false }])).toMatchObject([{ severity: 'warning' }])
  })

  it('runs the filters of the newest commit', async () => {
    const { p } = await start()
    const body = Buffer.from('Subject: hello\r\n\r\nx\r\n')
    await p.run({ body })
    p.sections.set(messageFilters, [{ name: 'no', active: true, script: 'if true { drop(); }' }])
    await p.run({ body })
    expect(p.types().filter((t) => t === 'message.queued' || t === 'message.dropped')).toEqual([
      'message.queued',
      'message.dropped',
    ])
  })
})

describe('quarantine expiry', () => {
  it('ends the retention with the default action of the quarantine', async () => {
    const filters = [
      { name: 'a', script: 'if subject == "one" { quarantine("Policy"); } else { quarantine("Review"); }' },
    ]
    const sections = new Map([
      [
        quarantines,
        [
          { name: 'Policy', retentionHours: 1, defaultAction: 'delete' },
          { name: 'Review', retentionHours: 2, defaultAction: 'release' },
        ],
      ],
    ])
    const { p } = await start({ filters, sections })
    const one = await p.run({ body: Buffer.from('Subject: one\r\n\r\nx\r\n') })
    const two = await p.run({ body: Buffer.from('Subject: two\r\n\r\nx\r\n') })
    const expiry = createQuarantineExpiry({ quarantine: p.quarantine, config: p.config, env: p.env, events: p.bus })
    await expiry.start(p.config, signal)
    await settle()
    expect(p.quarantine.list()).toHaveLength(2)
    await p.env.clock.advance(3_600_000)
    await settle()
    expect(p.of('quarantine.deleted')).toMatchObject([{ mid: one, how: 'expired' }])
    await p.env.clock.advance(3_600_000)
    await settle()
    expect(p.of('quarantine.released')).toMatchObject([{ mid: two, how: 'expired' }])
    expect(p.spool.state(two)).toEqual({ kind: 'work', resumeAt: 'delivery' })
    await expiry.stop(0)
  })
})
