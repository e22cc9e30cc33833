import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { urlRetrospection } from '../../../src/config/sections/url-retrospection.ts'
import { Fault } from '../../../src/core/errors.ts'
import { settle } from '../../support/fake-clock.ts'
import { answer, retroJson, retroRig } from '../../support/retro.ts'
import type { RetroRig } from '../../support/retro.ts'

const live = new AbortController().signal
const HOUR = 3600_000
const BAD = 'http://bad.example/x'
const message = (rootMid: number, url = BAD) =>
  ({ rootMid, messageId: `<${rootMid}@x.example>`, url, direction: 'incoming' }) as const

describe('the poller', () => {
  let rig: RetroRig
  const watchAndSubmit = async (...mids: number[]): Promise<readonly string[]> => {
    await rig.retro.watch(mids.map((m) => message(m)))
    await rig.retro.poll(live)
    return mids.map((m) => rig.api.submissions.find((s) => s.emailId === emailOf(m))?.emailId ?? '')
  }
  /** Submissions arrive in the order they were journalled. */
  const emailOf = (mid: number): string =>
    [...new Set(rig.api.submissions.map((s) => s.emailId))].find((id) => rig.store.find(id, BAD)?.rootMid === mid) ?? ''
  const turned = (emailId: string, at = '2022-03-30T00:20:05Z', url = BAD) => ({ emailId, url, at })

  beforeEach(async () => {
    rig = await retroRig('2022-03-30T00:20:10Z')
  })
  afterEach(() => rig.end())

  it('acts once on a retrospection that every query of the next hour brings again', async () => {
    const [id = ''] = await watchAndSubmit(1)
    rig.api.retros = [turned(id)]
    expect(await rig.retro.poll(live)).toEqual({ retrospections: 1, acted: 1, error: null })
    for (let i = 0; i < 3; i++) expect(await rig.retro.poll(live)).toEqual({ retrospections: 0, acted: 0, error: null })
    expect(rig.handed.map((h) => [h.url, h.rootMids])).toEqual([[BAD, [1]]])
    expect(rig.alerts).toHaveLength(1)
  })

  it('acts once when a verdict flaps from malicious to clean and back', async () => {
    const [id = ''] = await watchAndSubmit(1)
    rig.api.retros = [turned(id, '2022-03-30T00:20:05Z')]
    await rig.retro.poll(live)
    rig.api.retros = [{ ...turned(id, '2022-03-30T00:20:07Z'), entry: 1 }, turned(id, '2022-03-30T00:20:09Z')]
    await rig.retro.poll(live)
    expect(rig.handed).toHaveLength(1)
  })

  it('does not take a clean verdict for a malicious one, and takes the malicious one that follows', async () => {
    const [id = ''] = await watchAndSubmit(1)
    rig.api.retros = [{ ...turned(id), entry: 1 }]
    expect((await rig.retro.poll(live)).retrospections).toBe(0)
    rig.api.retros = [turned(id)]
    expect((await rig.retro.poll(live)).retrospections).toBe(1)
  })

  it('hands one URL that several messages carried over as one verdict', async () => {
    const ids = await watchAndSubmit(1, 2, 3)
    rig.api.retros = ids.map((id) => turned(id))
    await rig.retro.poll(live)
    expect(rig.handed.map((h) => [...h.rootMids].sort())).toEqual([[1, 2, 3]])
  })

  it('ignores, with one line, a message that it does not know', async () => {
    rig.api.retros = [turned('00000000-0000-4000-8000-000000000000')]
    await rig.retro.poll(live)
    await rig.retro.poll(live)
    expect(rig.events.filter((e) => e.type === 'ecs.ignored')).toHaveLength(1)
    expect(rig.handed).toEqual([])
  })

  it('acts on a verdict of the 168th hour and on none after it', async () => {
    const [a = '', b = ''] = await watchAndSubmit(1, 2)
    await rig.env.clock.advance(170 * HOUR)
    rig.api.retros = [turned(a, '2022-04-06T00:20:10Z'), turned(b, '2022-04-06T00:20:11Z')]
    await rig.retro.poll(live)
    expect(rig.handed.map((h) => h.rootMids)).toEqual([[1]])
    expect(rig.events.filter((e) => e.type === 'ecs.ignored').map((e) => e.reason)).toEqual([
      'the verdict came later than 168 hours after submission',
    ])
  })

  it('reads every page, also when ten thousand retrospections come at once and many share a second', async () => {
    const count = 10_000
    await rig.retro.watch(Array.from({ length: count }, (_, i) => message(i + 1)))
    await rig.retro.poll(live)
    expect(rig.api.submissions).toHaveLength(count)
    rig.api.retros = rig.api.submissions.map((s, i) => turned(s.emailId, `2022-03-30T00:${10 + (i % 10)}:00Z`))
    const outcome = await rig.retro.poll(live)
    expect(outcome).toEqual({ retrospections: count, acted: count, error: null })
    expect(rig.handed.flatMap((h) => h.rootMids)).toHaveLength(count)
    expect(rig.alerts.every((a) => a.text.length < 20_000)).toBe(true)
    expect(rig.retro.status()).toMatchObject({ pending: 0, watched: count })
  })

  it('gives up on a service that says more and gives the same page for ever, and keeps what it got', async () => {
    const [id = ''] = await watchAndSubmit(1)
    const page = answer(200, { retros: [retroJson(turned(id))], more: true })
    rig.api.next.query = Array<typeof page>(50).fill(page)
    const outcome = await rig.retro.poll(live)
    expect(outcome.error).toContain('same page')
    expect(outcome.retrospections).toBe(1)
    expect(rig.api.next.query.length).toBeGreaterThan(40)
    expect(rig.retro.status().state).toBe('Unavailable')
  })

  it.each([
    ['a refusal', answer(403, { message: 'Forbidden' }), 'Forbidden.'],
    ['too many requests', answer(429, {}), 'HTTP status 429.'],
    ['a server error', answer(503, null), 'HTTP status 503.'],
    ['garbage', answer(200, 'hello'), 'The answer is not a JSON object.'],
    ['another form', answer(200, { retros: {} }), 'The answer has not the form {retros, more}.'],
    ['no connection', new Fault('UPSTREAM_UNAVAILABLE', 'connection refused'), 'connection refused.'],
  ])('says what went wrong on %s, and polls again', async (_, reply, reason) => {
    await rig.retro.start(rig.config, live)
    await settle()
    expect(rig.retro.status().state).toBe('Connected')
    rig.api.next.query = [reply]
    await rig.env.clock.advance(120_000)
    expect(rig.events.findLast((e) => e.type === 'ecs.query-failed')?.reason).toBe(reason)
    expect(rig.retro.status()).toMatchObject({ state: 'Unavailable', detail: reason })
    await rig.env.clock.advance(150_000)
    expect(rig.retro.status().state).toBe('Connected')
    expect(rig.api.tokens).toHaveLength(1)
  })

  it('registers only once for one query, however often the token is refused', async () => {
    await rig.retro.poll(live)
    const expired = answer(403, { message: 'Token Expired' })
    rig.api.next.query = [expired, expired]
    expect((await rig.retro.poll(live)).error).toBe('Token Expired.')
    expect(rig.api.tokens).toHaveLength(2)
    expect((await rig.retro.poll(live)).error).toBeNull()
  })

  it('says that registration failed, and tries again at the next poll', async () => {
    rig.api.next.register = [answer(401, { message: 'Unknown device' })]
    expect((await rig.retro.poll(live)).error).toBe('Unknown device.')
    expect(rig.types()).toContain('ecs.registration-failed')
    expect((await rig.retro.poll(live)).error).toBeNull()
  })

  it('says so when there is no service to ask, and asks when there is one', async () => {
    const { registerUrl } = rig.api
    rig.api.registerUrl = () => {
      throw new Fault('NOT_CONFIGURED', 'the service is not running')
    }
    expect((await rig.retro.poll(live)).error).toBe('the service is not running.')
    expect(rig.types()).not.toContain('system.fault')
    rig.api.registerUrl = registerUrl
    expect((await rig.retro.poll(live)).error).toBeNull()
  })

  it('waits longer with each failure, and as long as the service asks', async () => {
    await rig.retro.start(rig.config, live)
    await settle()
    rig.api.next.query = Array<ReturnType<typeof answer>>(3).fill(answer(500, {}))
    rig.api.next.query.push(answer(429, {}, 2400_000))
    const times: number[] = []
    const start = rig.env.clock.monotonic()
    let seen = rig.api.queries.length
    for (let s = 0; s < 5400 && times.length < 5; s += 5) {
      await rig.env.clock.advance(5000)
      if (rig.api.queries.length === seen) continue
      seen = rig.api.queries.length
      times.push((rig.env.clock.monotonic() - start) / 1000)
    }
    const waits = times.map((t, i) => t - (times[i - 1] ?? 0))
    expect(waits[0]).toBe(120)
    expect(waits[1]).toBeGreaterThanOrEqual(90)
    expect(waits[2]).toBeGreaterThanOrEqual(180)
    expect(waits[3]).toBeGreaterThanOrEqual(360)
    expect(waits[4]).toBeGreaterThanOrEqual(2400)
  })

  it('ends a query that hangs, by time-out and by stop', async () => {
    const hangs = () => new Promise<never>(() => undefined)
    rig.api.next.query = [hangs]
    const polled = rig.retro.poll(live)
    await settle()
    await rig.env.clock.advance(31_000)
    expect((await polled).error).toBe('no answer within 30 s.')
    rig.api.next.query = [hangs]
    await rig.retro.start(rig.config, live)
    await settle()
    await rig.retro.stop(1000)
    expect(rig.types().at(-1)).toBe('ecs.stopped')
  })

  it('never runs two polls at a time', async () => {
    let open = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++open)
      await rig.env.clock.sleep(5000)
      open--
      return answer(200, {})
    }
    rig.api.next.query = [slow, slow, slow]
    const all = Promise.all([1, 2, 3].map(() => rig.retro.poll(live)))
    for (let i = 0; i < 4; i++) await rig.env.clock.advance(5000)
    await all
    expect(most).toBe(1)
  })

  it('looks back to the last good poll after an outage longer than the window', async () => {
    await rig.retro.poll(live)
    await rig.env.clock.advance(5 * HOUR)
    await rig.retro.poll(live)
    expect(rig.api.queries.at(-1)?.since).toBe('2022-03-30T00:15:10Z')
    await rig.retro.poll(live)
    expect(rig.api.queries.at(-1)?.since).toBe('2022-03-30T04:20:10Z')
  })

  it('is started and stopped by committed configuration', async () => {
    rig.config.set(urlRetrospection, { enabled: false })
    await rig.retro.start(rig.config, live)
    expect(rig.types()).toEqual([])
    const off = rig.config.get(urlRetrospection)
    const on = { ...off, enabled: true }
    for (let bounce = 0; bounce < 2; bounce++) {
      rig.events.length = 0
      rig.config.set(urlRetrospection, on)
      await rig.retro.consumer.apply(on, off, rig.config)
      await settle()
      expect(rig.types()[0]).toBe('ecs.poller-starting')
      expect(rig.retro.status().state).toBe('Connected')
      rig.config.set(urlRetrospection, off)
      await rig.retro.consumer.apply(off, on, rig.config)
      expect(rig.types().at(-1)).toBe('ecs.stopped')
      expect(rig.retro.status().state).toBe('Unavailable')
    }
    const asked = rig.api.queries.length
    await rig.env.clock.advance(HOUR)
    expect(rig.api.queries).toHaveLength(asked)
    expect(await rig.retro.poll(live)).toMatchObject({ error: 'URL Retro Service is disabled.' })
  })

  it('does not let a poll that hangs hold up a commit that disables it', async () => {
    await rig.retro.start(rig.config, live)
    await settle()
    rig.api.next.query = [() => new Promise<never>(() => undefined)]
    const polled = rig.retro.poll(live)
    await settle()
    const on = rig.config.get(urlRetrospection)
    await rig.retro.consumer.apply({ ...on, enabled: false }, on, rig.config)
    expect((await polled).error).toBe('the service was stopped.')
  })

  it('polls every two minutes', async () => {
    await rig.retro.start(rig.config, live)
    await settle()
    await rig.env.clock.advance(10 * 60_000)
    expect(rig.api.queries).toHaveLength(6)
  })
})
