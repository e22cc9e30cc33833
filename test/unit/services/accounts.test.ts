import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtInUser, users } from '../../../src/config/sections/users.ts'
import type { User } from '../../../src/config/sections/users.ts'
import { Fault } from '../../../src/core/errors.ts'
import { createEventBus } from '../../../src/events/bus.ts'
import type { ApplianceEvent } from '../../../src/events/event.ts'
import { createAccounts } from '../../../src/services/accounts.ts'
import type { Accounts } from '../../../src/services/accounts.ts'
import { createLogins } from '../../../src/services/logins.ts'
import type { Logins } from '../../../src/services/logins.ts'
import { seededEntropy } from '../../support/env.ts'
import { openTestConfig, removeTestConfig } from '../../support/config-store.ts'
import type { TestConfig } from '../../support/config-store.ts'

const user = (name: string, more: Partial<User> = {}): User => ({ ...builtInUser, name, passphrase: name, ...more })

/** Hashes nothing: the hash is the passphrase itself. */
const plain = { hash: async (text: string) => text, verify: async (hash: string | null, text: string) => hash === text }

describe('accounts', () => {
  let config: TestConfig
  let events: ApplianceEvent[]
  let logins: Logins
  let asked: (string | null)[]
  const signal = new AbortController().signal

  const open = async (accounts: User[], policy = {}, passphrases = plain): Promise<Accounts> => {
    config = await openTestConfig({
      seed: (set) => set(users, { accounts, policy: { ...users.defaults.policy, ...policy } }),
    })
    const bus = createEventBus(config.clock)
    bus.subscribe((_, event) => events.push(event))
    const counting = {
      hash: passphrases.hash,
      verify: async (hash: string | null, text: string) => {
        asked.push(hash)
        return await passphrases.verify(hash, text)
      },
    }
    // Refusals are not waited for.
    const clock = { ...config.clock, now: () => config.clock.now(), monotonic: () => config.clock.monotonic() }
    const env = { clock: { ...clock, sleep: async () => undefined }, entropy: seededEntropy() }
    return createAccounts({ env, config: config.store, events: bus, passphrases: counting, logins })
  }
  beforeEach(() => {
    events = []
    asked = []
    logins = createLogins({ clock: { now: () => new Date(0) }, store: { load: () => [], save: () => undefined } })
  })
  afterEach(async () => {
    await config.close()
    removeTestConfig(config.path)
  })
  const login = async (accounts: Accounts, name: string, passphrase: string, from = '192.0.2.1') =>
    (await accounts.login({ name, passphrase, from, signal }))?.name ?? null

  it('lets in who has the right passphrase, and says so', async () => {
    const accounts = await open([user('admin')])
    expect(await login(accounts, 'admin', 'admin')).toBe('admin')
    const event = { type: 'access.accepted', user: 'admin', from: '192.0.2.1', method: 'passphrase' }
    expect(events).toEqual([{ ...event, role: 'administrator' }])
  })

  it('checks something for names that do not exist too, and records the refusal', async () => {
    const accounts = await open([user('admin'), user('eve', { status: 'locked' })])
    expect(await login(accounts, 'nobody', 'x')).toBeNull()
    expect(await login(accounts, 'eve', 'eve')).toBeNull()
    expect(asked).toEqual([null, null])
    expect(logins.recent(5).map((r) => [r.user, r.state])).toEqual([
      ['eve', 'refused'],
      ['nobody', 'refused'],
    ])
  })

  it('does not look at passphrases from an address that guesses, and takes others', async () => {
    const accounts = await open([user('admin')])
    for (let i = 0; i < 10; i++) await login(accounts, 'admin', 'wrong')
    asked = []
    expect(await login(accounts, 'admin', 'admin')).toBeNull()
    expect(asked).toEqual([])
    expect(await login(accounts, 'admin', 'admin', '192.0.2.2')).toBe('admin')
    expect(events.filter((e) => e.type === 'access.address-locked')).toHaveLength(1)
  })

  it('looks at ten passphrases of an address and no more, however many come at once', async () => {
    const accounts = await open([user('admin')])
    const many = Array.from({ length: 40 }, (_, i) => login(accounts, 'admin', i > 10 ? 'admin' : 'wrong'))
    expect(new Set(await Promise.all(many))).toEqual(new Set([null]))
    expect(asked).toHaveLength(10)
    expect(logins.recent(1)[0]?.attempts).toBe(40)
  })

  it('locks a name by policy, but never that of the last administrator', async () => {
    const accounts = await open([user('admin'), user('anna', { role: 'operator' })], { lockAttempts: 2 })
    for (const name of ['admin', 'anna'])
      for (let i = 0; i < 3; i++) await login(accounts, name, 'wrong', `10.0.0.${i}`)
    expect(await login(accounts, 'anna', 'anna', '10.0.0.9')).toBeNull()
    expect(accounts.lockedByFailures('anna')).toBe(true)
    expect(await login(accounts, 'admin', 'admin', '10.0.0.9')).toBe('admin')
    accounts.unlock('anna')
    expect(await login(accounts, 'anna', 'anna', '10.0.0.8')).toBe('anna')
  })

  it('refuses when too many wait to be checked', async () => {
    const busy = async (): Promise<boolean> => {
      throw new Fault('STORE_BUSY', 'busy')
    }
    const accounts = await open([user('admin')], {}, { ...plain, verify: busy })
    expect(await login(accounts, 'admin', 'admin')).toBeNull()
  })

  it('knows the holder of a key, while the account is active', async () => {
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINOJx2gDtHZbGv2qLkFUPmV5jpg0gAPO7mWZmfPVBc8y anna@example.net'
    const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64')
    const accounts = await open([user('admin', { keys: [key] }), user('eve', { keys: [key], status: 'locked' })])
    expect(accounts.holder('admin', blob)?.name).toBe('admin')
    expect(accounts.holder('eve', blob)).toBeNull()
    expect(accounts.holder('nobody', blob)).toBeNull()
    expect(accounts.holder('admin', Buffer.from('other'))).toBeNull()
  })

  it('changes a passphrase at once and keeps the old one among the earlier ones', async () => {
    const accounts = await open([user('admin')])
    await accounts.setPassphrase('admin', 'next')
    const [admin] = config.store.running.get(users).accounts
    expect([admin?.passphrase, admin?.earlier]).toEqual(['next', ['admin']])
    expect(config.store.history(1)[0]?.user).toBe('admin')
  })
})
