import { describe, expect, it } from 'vitest'
import { createLoginGuard } from '../../../src/services/login-guard.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const NEVER = { attempts: 0, seconds: 900 }

describe('the login guard', () => {
  it('waits longer with each failure from the fourth on, up to a limit', () => {
    const guard = createLoginGuard(new FakeClock())
    const waits = Array.from({ length: 9 }, () => guard.failed('192.0.2.1', 'admin', NEVER).waitMs)
    expect(waits).toEqual([0, 0, 0, 500, 1000, 2000, 4000, 4000, 4000])
  })

  it('locks an address after ten failures, each time for longer, and no other address', async () => {
    const clock = new FakeClock()
    const guard = createLoginGuard(clock)
    const fail = (times: number) =>
      Array.from({ length: times }, () => guard.failed('192.0.2.1', 'admin', NEVER)).at(-1)
    expect(fail(9)?.addressLock).toBeNull()
    expect(guard.addressLocked('192.0.2.1')).toBe(false)
    expect(fail(1)?.addressLock).toEqual({ failures: 10, seconds: 60 })
    expect(guard.addressLocked('192.0.2.1')).toBe(true)
    expect(guard.addressLocked('192.0.2.2')).toBe(false)
    await clock.advance(60_000)
    expect(guard.addressLocked('192.0.2.1')).toBe(false)
    expect(fail(10)?.addressLock).toEqual({ failures: 20, seconds: 120 })
  })

  it('forgets an address that got in', () => {
    const guard = createLoginGuard(new FakeClock())
    for (let i = 0; i < 9; i++) guard.failed('192.0.2.1', 'admin', NEVER)
    guard.succeeded('192.0.2.1', 'admin')
    expect(guard.failed('192.0.2.1', 'admin', NEVER)).toEqual({ waitMs: 0, addressLock: null, nameLock: null })
  })

  it('takes the /64 of an IPv6 address for one address', () => {
    const guard = createLoginGuard(new FakeClock())
    for (let i = 0; i < 10; i++) guard.failed(`2001:db8::${i + 1}`, 'admin', NEVER)
    expect(guard.addressLocked('2001:db8:0:0:ffff::1')).toBe(true)
    expect(guard.addressLocked('2001:db8:0:1::1')).toBe(false)
  })

  it('locks a name only where the policy says so, and unlocks it', () => {
    const guard = createLoginGuard(new FakeClock())
    const policy = { attempts: 2, seconds: 60 }
    guard.failed('192.0.2.1', 'anna', policy)
    expect(guard.failed('192.0.2.2', 'anna', policy).nameLock).toEqual({ failures: 2, seconds: 60 })
    expect(guard.nameLocked('anna')).toBe(true)
    guard.unlockName('anna')
    expect(guard.nameLocked('anna')).toBe(false)
  })
})
