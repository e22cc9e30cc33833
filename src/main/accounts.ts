import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createPassphrases } from '../adapters/crypto/passphrase.ts'
import { loginFile } from '../adapters/files/logins.ts'
import type { User } from '../config/sections/users.ts'
import type { Accounts } from '../services/accounts.ts'
import { createAccounts } from '../services/accounts.ts'
import { createLogins } from '../services/logins.ts'
import type { Logins } from '../services/logins.ts'
import { firstAdministrator, forgetFirstPassphrase } from './first-passphrase.ts'
import type { Foundation } from './foundation.ts'
import type { Home } from './home.ts'
import type { ApplianceOptions } from './options.ts'

/** `admin` with a passphrase of its own, on a home that has no configuration yet. */
export const seedAdministrator = async (options: ApplianceOptions, home: Home): Promise<User | null> => {
  if (existsSync(home.db('config'))) return null
  const atTerminal = options.services && options.atTerminal === true
  const notice = options.services ? (options.notice ?? (() => undefined)) : () => undefined
  const { entropy } = options.env
  return await firstAdministrator({ home: home.root, entropy, passphrases: createPassphrases(), atTerminal, notice })
}

export const openAccounts = (
  base: Pick<Foundation, 'config' | 'events'>,
  options: ApplianceOptions,
  home: Home,
): { readonly accounts: Accounts; readonly logins: Logins } => {
  const { config, events } = base
  const { env } = options
  config.consume(forgetFirstPassphrase(home.root, events))
  const logins = createLogins({ clock: env.clock, store: loginFile(join(home.root, 'logins.json')) })
  const passphrases = createPassphrases()
  return { logins, accounts: createAccounts({ env, config, events, passphrases, logins }) }
}
