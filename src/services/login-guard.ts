import { addressKey } from '../core/plain-address.ts'
import type { Clock } from '../core/clock.ts'
import { createLru } from '../core/lru.ts'

/** What failed logins cost: waiting, then not being looked at for a while. Pure but for the clock; bounded. */
export interface LoginGuard {
  /** Passphrases from this address are not looked at now. */
  addressLocked(address: string): boolean
  nameLocked(name: string): boolean
  /** Counts a failure; answers how long to wait before the refusal, and the locks that it brought. */
  failed(address: string, name: string, policy: NamePolicy): Penalty
  /** A login from this address under this name. */
  succeeded(address: string, name: string): void
  unlockName(name: string): void
}

export interface NamePolicy {
  /** Failures after which the name is locked; 0 = never. */
  readonly attempts: number
  readonly seconds: number
}

export interface Penalty {
  readonly waitMs: number
  readonly addressLock: { readonly failures: number; readonly seconds: number } | null
  readonly nameLock: { readonly failures: number; readonly seconds: number } | null
}

interface Count {
  failures: number
  locks: number
  lockedUntil: number
}

const FREE = 3
const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 4000
const LOCK_AFTER = 10
const FIRST_LOCK_S = 60
const MAX_LOCK_S = 900
const FORGET_MS = 1_800_000
const MAX_KEPT = 50_000

export const createLoginGuard = (clock: Pick<Clock, 'monotonic'>): LoginGuard => {
  const addresses = createLru<Count>(MAX_KEPT, clock)
  const names = createLru<Count>(MAX_KEPT, clock)
  const count = (of: typeof addresses, key: string): Count => {
    const known = of.get(key) ?? { failures: 0, locks: 0, lockedUntil: 0 }
    known.failures++
    return known
  }
  const locked = (of: typeof addresses, key: string): boolean => (of.get(key)?.lockedUntil ?? 0) > clock.monotonic()

  return {
    addressLocked: (address) => locked(addresses, addressKey(address)),
    nameLocked: (name) => locked(names, name),
    failed: (address, name, policy) => {
      const here = count(addresses, addressKey(address))
      let addressLock: Penalty['addressLock'] = null
      if (here.failures % LOCK_AFTER === 0 && here.lockedUntil <= clock.monotonic()) {
        const seconds = Math.min(MAX_LOCK_S, FIRST_LOCK_S * 2 ** here.locks)
        here.locks++
        here.lockedUntil = clock.monotonic() + seconds * 1000
        addressLock = { failures: here.failures, seconds }
      }
      addresses.set(addressKey(address), here, FORGET_MS + MAX_LOCK_S * 1000)

      let nameLock: Penalty['nameLock'] = null
      if (policy.attempts > 0) {
        const there = count(names, name)
        if (there.failures >= policy.attempts) {
          there.lockedUntil = clock.monotonic() + policy.seconds * 1000
          nameLock = { failures: there.failures, seconds: policy.seconds }
          there.failures = 0
        }
        names.set(name, there, FORGET_MS + policy.seconds * 1000)
      }
      const over = here.failures - FREE
      return {
        waitMs: over <= 0 ? 0 : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over, 10)),
        addressLock,
        nameLock,
      }
    },
    succeeded: (address, name) => {
      addresses.delete(addressKey(address))
      names.delete(name)
    },
    unlockName: (name) => names.delete(name),
  }
}
