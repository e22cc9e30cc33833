import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answer, retroRig } from '../../support/retro.ts'
import type { RetroRig } from '../../support/retro.ts'

const live = new AbortController().signal
const HOUR = 3600_000

describe('a service whose clock is not ours', () => {
  let rig: RetroRig
  beforeEach(async () => {
    rig = await retroRig('2022-03-30T12:00:00Z')
  })
  afterEach(() => rig.end())
  const at = (offset: number) => () =>
    Promise.resolve({ ...answer(200, {}), serverDate: new Date(rig.env.clock.now().getTime() + offset) })
  const sinces = (): readonly string[] => rig.api.queries.splice(0).map((q) => q.since)
  const skews = (): readonly number[] => rig.events.flatMap((e) => (e.type === 'ecs.clock-skew' ? [e.seconds] : []))

  it('is asked from an hour ago when it is ahead or less than a minute apart', async () => {
    for (const offset of [0, 59_000, -59_000]) {
      rig.api.next.query = [at(offset)]
      await rig.retro.poll(live)
    }
    expect(sinces()).toEqual(Array(3).fill('2022-03-30T11:00:00Z'))
    expect(skews()).toEqual([])
  })

  it('is asked again at once, for as much earlier as it is behind', async () => {
    rig.api.next.query = [at(-2 * HOUR), at(-2 * HOUR)]
    await rig.retro.poll(live)
    expect(sinces()).toEqual(['2022-03-30T11:00:00Z', '2022-03-30T09:00:00Z'])
    expect(skews()).toEqual([-7200])
  })

  it('is asked once for everything that may still act when either clock was set, also after a restart', async () => {
    rig.api.next.query = [at(-2 * HOUR), at(-2 * HOUR)]
    await rig.retro.poll(live)
    await rig.restart()
    sinces()
    rig.api.next.query = [at(0), at(0), at(0)]
    await rig.retro.poll(live)
    await rig.retro.poll(live)
    expect(sinces()).toEqual(['2022-03-30T09:00:00Z', '2022-03-23T11:00:00Z', '2022-03-30T11:00:00Z'])
    expect(skews()).toEqual([-7200, 0])
  })

  it('keeps asking for everything until that was answered', async () => {
    rig.api.next.query = [at(0)]
    await rig.retro.poll(live)
    rig.api.next.query = [at(HOUR), answer(500, {}), at(HOUR)]
    await rig.retro.poll(live)
    await rig.retro.poll(live)
    expect(sinces().slice(1)).toEqual(['2022-03-30T11:00:00Z', '2022-03-23T11:00:00Z', '2022-03-23T11:00:00Z'])
  })
})

describe('an answer to a submission that is not the service’s', () => {
  it('leaves the URLs waiting, and says so', async () => {
    const rig = await retroRig()
    try {
      await rig.retro.watch([{ rootMid: 1, messageId: '<1@x>', url: 'http://a.example/', direction: 'incoming' }])
      rig.api.next.submit = [{ ...answer(200, null), text: '<html>Please log in to the hotel</html>' }]
      const { error } = await rig.retro.poll(live)
      expect(error).toBe('The answer is not that of a retrospective service.')
      expect(rig.store.counts()).toEqual({ watched: 0, pending: 1 })
    } finally {
      await rig.end()
    }
  })
})
