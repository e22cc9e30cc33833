import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { users } from '../config/sections/users.ts'
import { BUILT_IN, builtInUser } from '../config/sections/users.ts'
import type { ConfigConsumer } from '../config/section.ts'
import type { User, Users } from '../config/sections/users.ts'
import type { Entropy } from '../core/entropy.ts'
import type { EventBus } from '../events/bus.ts'
import { generatePassphrase } from '../services/passphrases.ts'
import type { Passphrases } from '../services/passphrases.ts'

const fileOf = (home: string): string => join(home, 'first-passphrase')

/**
 * The account `admin` of a fresh home, with a passphrase of its own. It is shown where somebody sits at a terminal; else it
 * lies in a file of mode 0600, so that it stands in no journal of a service manager.
 */
export const firstAdministrator = async (options: {
  readonly home: string
  readonly entropy: Entropy
  readonly passphrases: Passphrases
  readonly atTerminal: boolean
  readonly notice: (line: string) => void
}): Promise<User> => {
  const plain = generatePassphrase(options.entropy, users.defaults.policy.minLength)
  const passphrase = await options.passphrases.hash(plain)
  if (options.atTerminal)
    options.notice(`The passphrase of ${BUILT_IN} for SSH is ${plain} (shown once; passwd changes it).`)
  else {
    writeFileSync(fileOf(options.home), `${plain}\n`, { mode: 0o600 })
    options.notice(`The passphrase of ${BUILT_IN} for SSH is in ${fileOf(options.home)} until the first login.`)
  }
  return { ...builtInUser, passphrase }
}

const hashOf = (value: Users): string | null | undefined =>
  value.accounts.find((account) => account.name === BUILT_IN)?.passphrase

/** Removes the file at the first login by it, and when the passphrase is another one. */
export const forgetFirstPassphrase = (home: string, events: EventBus): ConfigConsumer<Users> => {
  const forget = (): void => rmSync(fileOf(home), { force: true })
  if (existsSync(fileOf(home)))
    events.subscribe((_, event) => {
      if (event.type === 'access.accepted' && event.user === BUILT_IN && event.method === 'passphrase') forget()
    })
  return {
    section: users,
    apply: async (next, previous) => {
      if (hashOf(next) !== hashOf(previous)) forget()
    },
  }
}
