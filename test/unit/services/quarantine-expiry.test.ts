import { afterEach, describe, expect, it } from 'vitest'
import type { QuarantineService, QuarantinedMessage } from '../../../src/mail/quarantine.ts'
import { UserError } from '../../../src/core/errors.ts'
import { createQuarantineExpiry } from '../../../src/services/quarantine-expiry.ts'
import type { Service } from '../../../src/services/service.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { testEnv } from '../../support/env.ts'
import { settle } from '../../support/fake-clock.ts'
import { newEntry } from '../../support/spool.ts'

let service: Service | undefined
afterEach(async () => {
  await service?.stop(0)
})

describe('the end of retention in quarantine', () => {
  it('passes over what somebody decided meanwhile and what fails, and ends those behind it', async () => {
    const env = testEnv()
    const events: ApplianceEvent[] = []
    const bus = createEventBus(env.clock)
    bus.subscribe((_, e) => void events.push(e))
    const now = env.clock.now()
    const held = (mid: number): QuarantinedMessage => ({
      entry: newEntry(mid),
      quarantine: 'Policy',
      reason: 'filter:x',
      since: now,
      until: now,
    })
    const released: number[] = []
    const end = async (mid: number): Promise<void> => {
      if (mid === 1) throw new UserError('MID 1 is not in quarantine.')
      if (mid === 2) throw new Error('disk full')
      released.push(mid)
    }
    const quarantine = { list: () => [1, 2, 3, 4].map(held), release: end, delete: end } as unknown as QuarantineService
    const config = { get: <T>(s: { readonly defaults: T }) => s.defaults }
    service = createQuarantineExpiry({ quarantine, config, env, events: bus })
    await service.start(config, new AbortController().signal)
    await settle()
    expect(released).toEqual([3, 4])
    expect(events).toMatchObject([{ type: 'system.fault', where: 'quarantine expiry', error: 'MID 2: disk full' }])
  })
})
