import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSteadyTime } from '../../../src/core/steady.ts'
import { pollDelay, querySince, utcSeconds } from '../../../src/retro/schedule.ts'
import { seededEntropy } from '../../support/env.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const settings = { lookBackSeconds: 3600, watchHours: 168 }
const now = new Date('2023-06-26T13:06:28.900Z')

class JumpingClock extends FakeClock {
  jump = 0
  override now(): Date {
    return new Date(super.now().getTime() + this.jump)
  }
}

describe('the start of a query', () => {
  it('is exactly one hour ago, in whole seconds of UTC', () => {
    expect(utcSeconds(querySince(now, new Date(now.getTime() - 120_000), settings))).toBe('2023-06-26T12:06:28Z')
    expect(utcSeconds(querySince(now, null, settings))).toBe('2023-06-26T12:06:28Z')
  })

  it('is never later than a window ago nor earlier than a verdict can act, whatever the clock said before', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (polledTo) => {
        const since = querySince(now, polledTo, settings).getTime()
        return since <= now.getTime() - 3600_000 && since >= now.getTime() - (168 + 1) * 3600_000
      }),
    )
  })
})

describe('the wait between polls', () => {
  it('stays within a quarter of the doubled time and under the limit', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(100_000_000), fc.integer({ min: 1 }), (failures, retryAfter, seed) => {
        const wait = pollDelay(120, failures, retryAfter, seededEntropy(seed))
        if (failures === 0) return wait === 120_000
        return wait >= 90_000 && wait <= 3600_000 && wait >= Math.min(retryAfter, 3600_000)
      }),
    )
  })
})

describe('the steady time', () => {
  it('does not follow a clock that jumps ahead, until a day has shown that it is right', async () => {
    const clock = new JumpingClock('2022-03-30T00:00:00Z')
    const steady = createSteadyTime(clock)
    clock.jump = 10 * 365 * 24 * 3600_000
    await clock.advance(60_000)
    expect(steady.now()).toEqual(new Date('2022-03-30T00:01:00Z'))
    clock.jump = -3600_000
    expect(steady.now()).toEqual(new Date('2022-03-29T23:01:00Z'))
    clock.jump = 2 * 3600_000
    await clock.advance(25 * 3600_000)
    steady.now()
    await clock.advance(60_000)
    expect(steady.now()).toEqual(clock.now())
  })
})
