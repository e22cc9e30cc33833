import type { ConfigStore } from '../config/store.ts'
import { users, withPassphrase } from '../config/sections/users.ts'
import type { User } from '../config/sections/users.ts'
import { parsePublicKey } from '../config/public-key.ts'
import { addressKey } from '../core/plain-address.ts'
import type { Env } from '../core/env.ts'
import { Fault } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import { createLoginGuard } from './login-guard.ts'
import type { Penalty } from './login-guard.ts'
import type { Logins } from './logins.ts'
import type { Passphrases } from './passphrases.ts'

/** Who may log in, and the only place where that is decided. Reads the running configuration at each question. */
export interface Accounts {
  /** An account that may work now. */
  find(name: string): User | undefined
  /** The active account of a user of the operating system. */
  ofSystemUser(name: string): User | undefined
  /** Checks a passphrase from an address, waits as long as failures there have earned, publishes the outcome. */
  login(attempt: Attempt): Promise<User | null>
  /** The account that holds this public key; no waiting and no lock: nobody guesses a key. */
  holder(name: string, blob: Uint8Array): User | null
  /** Publishes a login by key. */
  loggedInByKey(user: User, from: string): void
  /** Publishes that none of the keys offered was right. */
  refusedKeys(name: string, from: string): void
  /** Checks a passphrase of somebody who is in already; counts nothing. */
  matches(user: User, plain: string): Promise<boolean>
  hash(plain: string): Promise<string>
  /** Gives an account a new hash at once; the old one joins its earlier ones. */
  setPassphrase(name: string, hash: string): Promise<void>
  /** Whether failed logins have locked the name for a while. */
  lockedByFailures(name: string): boolean
  unlock(name: string): void
}

export interface Attempt {
  readonly name: string
  readonly passphrase: string
  readonly from: string
  readonly signal: AbortSignal
}

/** More than this is no passphrase, and hashing it would be work for nothing. */
const MAX_PLAIN = 1024

export const createAccounts = (deps: {
  readonly env: Env
  readonly config: Pick<ConfigStore, 'running' | 'draft' | 'commit'>
  readonly events: EventBus
  readonly passphrases: Passphrases
  readonly logins: Pick<Logins, 'refused'>
}): Accounts => {
  const { env, config, events, passphrases } = deps
  const guard = createLoginGuard(env.clock)
  const all = (): readonly User[] => config.running.get(users).accounts
  const find = (name: string): User | undefined => all().find((u) => u.name === name && u.status === 'active')

  /** Whoever keeps trying the last administrator's name must not keep that administrator out. */
  const isLastAdministrator = (user: User | undefined): boolean =>
    user?.role === 'administrator' &&
    !all().some((u) => u.name !== user.name && u.role === 'administrator' && u.status === 'active' && usable(u))
  const usable = (user: User): boolean => user.passphrase !== null || user.keys.length > 0

  const refused = (name: string, from: string, method: 'passphrase' | 'publickey'): void => {
    deps.logins.refused(name, from)
    events.publish({ type: 'access.refused', user: name, from, method })
  }

  const check = async (user: User | undefined, { name, passphrase, from }: Attempt): Promise<boolean> => {
    // What comes from a locked address is not hashed: a flood of guesses must not keep others waiting.
    if (guard.addressLocked(from) || passphrase.length > MAX_PLAIN) return false
    try {
      // A locked name costs the same time as any other: only names that exist are locked.
      return (await passphrases.verify(user?.passphrase ?? null, passphrase)) && !guard.nameLocked(name)
    } catch (error) {
      if (error instanceof Fault && error.code === 'STORE_BUSY') return false
      throw error
    }
  }

  /** One passphrase of an address at a time: many at once neither fill the queue of hashes nor outrun the lock. */
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const mine = (turns.get(key) ?? Promise.resolve()).then(work)
    const settled = mine.catch(() => undefined)
    turns.set(key, settled)
    try {
      return await mine
    } finally {
      if (turns.get(key) === settled) turns.delete(key)
    }
  }

  return {
    find,
    ofSystemUser: (name) => all().find((u) => u.systemUser === name && u.status === 'active'),
    login: async (attempt) => {
      const { name, from, signal } = attempt
      const outcome = await inTurn(addressKey(from), async (): Promise<User | Penalty> => {
        const user = find(name)
        if ((await check(user, attempt)) && user !== undefined) {
          guard.succeeded(from, name)
          return user
        }
        const { lockAttempts, lockMinutes } = config.running.get(users).policy
        // Only names that exist can be locked; the others cost nothing to refuse.
        const attempts = user === undefined || isLastAdministrator(user) ? 0 : lockAttempts
        return guard.failed(from, name, { attempts, seconds: lockMinutes * 60 })
      })
      if ('name' in outcome) {
        events.publish({ type: 'access.accepted', user: name, from, method: 'passphrase', role: outcome.role })
        return outcome
      }
      refused(name, from, 'passphrase')
      if (outcome.addressLock) events.publish({ type: 'access.address-locked', from, ...outcome.addressLock })
      if (outcome.nameLock) events.publish({ type: 'access.user-locked', user: name, ...outcome.nameLock })
      await env.clock.sleep(outcome.waitMs, signal).catch(() => undefined)
      return null
    },
    holder: (name, blob) => {
      const user = find(name)
      const held = (user?.keys ?? []).some((line) => {
        const key = parsePublicKey(line)
        return key.ok && key.value.blob.equals(blob)
      })
      return held && user !== undefined ? user : null
    },
    loggedInByKey: (user, from) => {
      events.publish({ type: 'access.accepted', user: user.name, from, method: 'publickey', role: user.role })
    },
    refusedKeys: (name, from) => refused(name, from, 'publickey'),
    matches: async (user, plain) => await passphrases.verify(user.passphrase, plain),
    hash: async (plain) => await passphrases.hash(plain),
    setPassphrase: async (name, hash) => {
      const draft = config.draft()
      draft.set(users, withPassphrase(draft.get(users), name, hash))
      await config.commit(draft, { user: name, comment: `passphrase of ${name} changed`, keepForRollback: false })
    },
    lockedByFailures: (name) => guard.nameLocked(name),
    unlock: (name) => guard.unlockName(name),
  }
}
