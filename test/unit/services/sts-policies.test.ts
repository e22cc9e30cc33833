import { describe, expect, it } from 'vitest'
import { inlineWriter } from '../../../src/adapters/sqlite/database.ts'
import { STS_MIGRATIONS, createStsPolicyStore } from '../../../src/adapters/sqlite/sts-policies.ts'
import { systemEntropy } from '../../../src/core/entropy.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createStsPolicies } from '../../../src/services/sts-policies.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { temporaryHome } from '../../support/spool.ts'

const never = new AbortController().signal
const text = (mode = 'enforce', mx = 'mx.far.example', age = 86_400 * 10): string =>
  `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${age}\n`

const world = async () => {
  const clock = new FakeClock()
  const temporary = temporaryHome()
  const writer = inlineWriter({ durable: false })
  const database = await writer.open(`${temporary.home}/sts.db`, STS_MIGRATIONS)
  const log: ApplianceEvent[] = []
  const events = createEventBus(clock)
  events.subscribe((_at, event) => log.push(event))
  const state = { record: 'v=STSv1; id=1;' as string | null, policy: text() as string | null, fetched: 0, names: '' }
  const open = () =>
    createStsPolicies({
      env: { clock, entropy: systemEntropy },
      events,
      store: createStsPolicyStore(database),
      limit: 2,
      resolver: {
        resolve: async (name) => {
          await Promise.resolve()
          state.names = name
          if (state.record === null) throw Object.assign(new Error('no'), { code: 'ESERVFAIL' })
          return [['other'], state.record.match(/.{1,5}/g) ?? []]
        },
        reverse: () => Promise.resolve([]),
      },
      fetch: {
        get: async (domain) => {
          await Promise.resolve()
          state.fetched++
          if (state.policy === null) throw new Error(`mta-sts.${domain}: refused`)
          return state.policy
        },
      },
    })
  let policies = open()
  return {
    clock,
    state,
    log,
    of: (domain = 'far.example') => policies.policyOf(domain, never),
    restart: () => (policies = open()),
    close: async () => {
      await writer.close()
      temporary.remove()
    },
  }
}

const run = async (test: (w: Awaited<ReturnType<typeof world>>) => Promise<void>): Promise<void> => {
  const w = await world()
  try {
    await test(w)
  } finally {
    await w.close()
  }
}

describe('policies of MTA-STS', () => {
  it('are fetched once, for many who ask at once, and kept', () =>
    run(async ({ of, state, clock, log }) => {
      const [first] = await Promise.all([of(), of('FAR.example'), of()])
      expect(first).toMatchObject({ mode: 'enforce', mx: ['mx.far.example'], id: '1' })
      await clock.advance(3600_000)
      expect(await of()).toEqual(first)
      expect(state.fetched).toBe(1)
      expect(log.map((e) => e.type)).toEqual(['delivery.sts-policy'])
    }))

  it('outlive a restart, and DNS and web servers that no longer answer', () =>
    run(async ({ of, state, restart, clock }) => {
      await of()
      state.record = null
      state.policy = null
      restart()
      await clock.advance(9 * 86_400_000)
      expect(await of()).toMatchObject({ mode: 'enforce' })
      await clock.advance(86_400_000 + 1)
      expect(await of()).toBeNull()
    }))

  it('are fetched anew when the id changes, and the old one holds when that fails', () =>
    run(async ({ of, state, clock, log }) => {
      await of()
      state.record = 'v=STSv1; id=2;'
      state.policy = null
      expect(await of()).toMatchObject({ id: '1' })
      expect(await of()).toMatchObject({ id: '1' })
      expect(state.fetched).toBe(2)
      expect(log.at(-1)).toMatchObject({ type: 'delivery.sts-failed', domain: 'far.example' })
      state.policy = text('testing')
      await clock.advance(300_001)
      expect(await of()).toMatchObject({ id: '2', mode: 'testing' })
      expect(state.fetched).toBe(3)
    }))

  it('in use are fetched anew after a day', () =>
    run(async ({ of, state, clock }) => {
      await of()
      await clock.advance(86_400_001)
      const renewed = await of()
      expect(state.fetched).toBe(2)
      expect(renewed?.expiresAt.getTime()).toBe(clock.now().getTime() + 864_000_000)
    }))

  it('end when the domain withdraws them', () =>
    run(async ({ of, state }) => {
      await of()
      state.record = 'v=STSv1; id=3;'
      state.policy = text('none')
      expect(await of()).toBeNull()
    }))

  it('are not there without one valid record, nor where the text is none', () =>
    run(async ({ of, state, log }) => {
      state.record = 'v=STSv1;'
      expect(await of()).toBeNull()
      expect(state.fetched).toBe(0)
      state.record = 'v=STSv1; id=1'
      state.policy = '<html>'
      expect(await of()).toBeNull()
      expect(log.at(-1)).toMatchObject({ type: 'delivery.sts-failed', until: null })
    }))

  it('go when there are too many, the oldest first, after a restart too', () =>
    run(async ({ of, state, restart, clock }) => {
      for (const domain of ['old.example', 'middle.example']) {
        await of(domain)
        await clock.advance(1000)
      }
      restart()
      await of('new.example')
      state.record = null
      const kept = async () => [await of('old.example'), await of('middle.example'), await of('new.example')]
      expect((await kept()).map((p) => p?.domain)).toEqual([undefined, 'middle.example', 'new.example'])
      restart()
      expect((await kept()).map((p) => p?.domain)).toEqual([undefined, 'middle.example', 'new.example'])
    }))

  it('of a domain in its own script are asked for by its name on the wire', () =>
    run(async ({ of, state }) => {
      await of('bücher.example')
      expect(state.names).toBe('_mta-sts.xn--bcher-kva.example')
      expect(await of('[192.0.2.1]')).toBeNull()
    }))
})
