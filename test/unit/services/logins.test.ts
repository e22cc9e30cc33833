import { describe, expect, it } from 'vitest'
import { createLogins } from '../../../src/services/logins.ts'
import type { LoginRecord } from '../../../src/services/logins.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const memory = (records: readonly LoginRecord[] = []) => {
  const store = { records, saves: 0 }
  return {
    store,
    load: () => store.records,
    save: (next: readonly LoginRecord[]) => {
      store.records = next
      store.saves++
    },
  }
}

describe('the record of logins', () => {
  it('shows who is here, and for how long nothing was typed', () => {
    const logins = createLogins({ clock: new FakeClock(), store: memory() })
    const open = logins.open({ user: 'anna', from: '192.0.2.1', what: 'cli', idleMs: () => 5000 })
    expect(logins.present()).toMatchObject([{ user: 'anna', from: '192.0.2.1', idleMs: 5000, what: 'cli' }])
    open.end('timed out')
    open.end('left')
    expect(logins.present()).toEqual([])
    expect(logins.recent(5)).toMatchObject([{ user: 'anna', state: 'timed out' }])
  })

  it('survives a restart; a session that the appliance took with it is lost', () => {
    const store = memory()
    createLogins({ clock: new FakeClock(), store }).open({ user: 'anna', from: 'local', what: 'cli', idleMs: () => 0 })
    const again = createLogins({ clock: new FakeClock(), store })
    expect(again.recent(5)).toMatchObject([{ user: 'anna', state: 'lost', end: null }])
    expect(again.present()).toEqual([])
  })

  it('counts refusals that follow each other in one record, and writes few of them', async () => {
    const clock = new FakeClock()
    const store = memory()
    const logins = createLogins({ clock, store })
    for (let i = 0; i < 1000; i++) logins.refused('admin', '192.0.2.1')
    expect(logins.recent(5)).toMatchObject([{ user: 'admin', from: '192.0.2.1', attempts: 1000, state: 'refused' }])
    expect(store.store.saves).toBeLessThan(30)
    await clock.advance(3_600_001)
    logins.refused('admin', '192.0.2.1')
    expect(logins.recent(5).map((r) => r.attempts)).toEqual([1, 1000])
  })

  it('keeps the last 500', () => {
    const logins = createLogins({ clock: new FakeClock(), store: memory() })
    for (let i = 0; i < 600; i++) logins.refused(`user${i}`, '192.0.2.1')
    expect(logins.recent(1000)).toHaveLength(500)
    expect(logins.recent(1)[0]?.user).toBe('user599')
  })
})
