import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { urlRetrospection } from '../../../src/config/sections/url-retrospection.ts'
import { settle } from '../../support/fake-clock.ts'
import { answer, retroRig } from '../../support/retro.ts'
import type { RetroRig } from '../../support/retro.ts'

const live = new AbortController().signal
const HOUR = 3600_000
const BAD = 'http://bad.example/x'
const message = (rootMid: number, url = BAD) =>
  ({ rootMid, messageId: `<${rootMid}@x.example>`, url, direction: 'incoming' }) as const

describe('the watch journal', () => {
  let rig: RetroRig
  beforeEach(async () => {
    rig = await retroRig()
  })
  afterEach(() => rig.end())

  it('is on disk when watch resolves, and a restart submits what was journalled', async () => {
    await rig.retro.watch([message(1), message(1, 'http://b.example/')])
    await rig.restart()
    await rig.retro.poll(live)
    expect(rig.api.submissions.map((s) => s.url).sort()).toEqual(['http://b.example/', BAD].sort())
    expect(new Set(rig.api.submissions.map((s) => s.emailId)).size).toBe(1)
  })

  it('takes a pair of message and URL once, under the id it got first', async () => {
    await rig.retro.watch([message(1)])
    const [first] = rig.store.pending(10)
    await rig.retro.watch([message(1), message(1, 'http://b.example/')])
    expect(rig.store.pending(10).map((p) => p.emailId)).toEqual([first?.emailId, first?.emailId])
    expect(rig.store.counts()).toEqual({ watched: 0, pending: 2 })
  })

  it('leaves outgoing mail out, and everything while the service is disabled', async () => {
    await rig.retro.watch([{ ...message(1), direction: 'outgoing' }])
    rig.config.set(urlRetrospection, { enabled: false })
    await rig.retro.watch([message(2)])
    expect(rig.store.counts()).toEqual({ watched: 0, pending: 0 })
  })

  it('submits in batches of a hundred, again when one failed, and never twice when it did not', async () => {
    await rig.retro.watch(Array.from({ length: 250 }, (_, i) => message(i + 1)))
    rig.api.next.submit = [answer(503, {})]
    expect((await rig.retro.poll(live)).error).toBe('HTTP status 503.')
    expect(rig.store.counts().pending).toBe(250)
    await rig.retro.poll(live)
    await rig.retro.poll(live)
    expect(rig.api.submissions).toHaveLength(250)
    expect(rig.events.filter((e) => e.type === 'ecs.submitted').map((e) => e.urls)).toEqual([100, 100, 50])
  })

  it('still asks for verdicts when submitting fails', async () => {
    await rig.retro.watch([message(1)])
    rig.api.next.submit = [answer(500, {})]
    await rig.retro.poll(live)
    expect(rig.api.queries).toHaveLength(1)
  })

  it('drops the one URL that the service will not take, and submits the others', async () => {
    await rig.retro.watch(Array.from({ length: 8 }, (_, i) => message(i + 1)))
    const refuse = answer(400, { message: 'Not a URL' })
    // 8 → 4 → 2 → 1: the first one is the bad one.
    rig.api.next.submit = [refuse, refuse, refuse, refuse]
    expect((await rig.retro.poll(live)).error).toBeNull()
    expect(rig.api.submissions).toHaveLength(7)
    expect(rig.store.counts()).toEqual({ watched: 7, pending: 0 })
    expect(rig.events.find((e) => e.type === 'ecs.ignored')?.reason).toBe('not taken by the service: Not a URL.')
  })

  it('renews an expired token while submitting', async () => {
    await rig.retro.poll(live)
    await rig.retro.watch([message(1)])
    rig.api.next.submit = [answer(403, { message: 'Token Expired' })]
    expect((await rig.retro.poll(live)).error).toBeNull()
    expect(rig.api.submissions).toHaveLength(1)
    expect(rig.api.tokens).toHaveLength(2)
  })

  it('refuses a URL of absurd length with a line', async () => {
    await rig.retro.watch([message(1, `http://x.example/${'a'.repeat(9000)}`), message(2)])
    expect(rig.store.counts().pending).toBe(1)
    expect(rig.types()).toContain('ecs.ignored')
  })

  it('forgets what is past its time, and nothing before', async () => {
    rig.config.set(urlRetrospection, { pollSeconds: 7200 })
    await rig.retro.watch([message(1)])
    await rig.retro.start(rig.config, live)
    await settle()
    await rig.env.clock.advance(191 * HOUR)
    expect(rig.store.counts().watched).toBe(1)
    await rig.env.clock.advance(3 * HOUR)
    expect(rig.store.counts().watched).toBe(0)
    expect(rig.events.find((e) => e.type === 'ecs.pruned')).toEqual({ type: 'ecs.pruned', urls: 1 })
  })

  it('gives a watch of more than a week to the service again, under the same id, until it ends', async () => {
    rig.config.set(urlRetrospection, { watchHours: 20 * 24 })
    await rig.retro.watch([message(1)])
    for (let day = 0; day <= 22; day++) {
      await rig.retro.poll(live)
      await rig.env.clock.advance(24 * HOUR + 60_000)
      await rig.store.prune(new Date(rig.env.clock.now().getTime() - 20 * 24 * HOUR))
    }
    expect(rig.api.submissions).toHaveLength(4)
    expect(new Set(rig.api.submissions.map((s) => s.emailId)).size).toBe(1)
  })

  it('keeps its registration over a restart, and registers anew with another service', async () => {
    await rig.retro.poll(live)
    await rig.restart()
    await rig.retro.poll(live)
    expect(rig.api.tokens).toHaveLength(1)
    rig.api.registerUrl = () => 'https://other.example/v1/register/device/X'
    await rig.retro.poll(live)
    expect(rig.api.tokens).toHaveLength(2)
  })
})

describe('a restart between two steps', () => {
  let rig: RetroRig
  let emailId: string
  beforeEach(async () => {
    rig = await retroRig()
    await rig.retro.watch([message(7)])
    await rig.retro.poll(live)
    emailId = rig.api.submissions[0]?.emailId ?? ''
    rig.api.retros = [{ emailId, url: BAD, at: '2022-03-30T00:20:05Z' }]
  })
  afterEach(() => rig.end())
  const row = () => ({
    emailId,
    url: BAD,
    rootMid: 7,
    messageId: '<7@x.example>',
    verdictAt: new Date('2022-03-30T00:20:05Z'),
    state: 'new' as const,
  })

  it('after recording: the retrospection is told and handed over once', async () => {
    await rig.store.record([row()], rig.env.clock.now())
    await rig.restart()
    await rig.retro.poll(live)
    await rig.retro.poll(live)
    expect(rig.handed).toHaveLength(1)
    expect(rig.alerts).toHaveLength(1)
  })

  it('after telling: it is handed over, and not told again', async () => {
    await rig.store.record([row()], rig.env.clock.now())
    await rig.store.mark(
      rig.store.unhandled(10).map((r) => r.id),
      'told',
    )
    await rig.restart()
    await rig.retro.poll(live)
    expect(rig.handed).toHaveLength(1)
    expect(rig.alerts).toHaveLength(0)
  })

  it('after handing over, before that is marked: the same key comes again', async () => {
    rig.sink.failWith = new Error('killed')
    expect((await rig.retro.poll(live)).error).toBe('killed')
    rig.sink.failWith = null
    await rig.restart()
    await rig.retro.poll(live)
    const [first] = rig.handed
    await rig.store.mark([1], 'told')
    await rig.restart()
    await rig.retro.poll(live)
    expect(rig.handed).toEqual([first])
    expect(rig.types()).toContain('system.fault')
  })
})
