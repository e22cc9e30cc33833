import { smtpAuth } from '../config/sections/smtp-auth.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Clock } from '../core/clock.ts'
import { createLoginGuard } from './login-guard.ts'
import { MAX_LENGTH } from './passphrases.ts'
import type { Passphrases } from './passphrases.ts'

/** Who may submit mail. */
export interface SmtpUsers {
  /** Waits as long as failures from the address have earned. @throws Fault STORE_BUSY when too many wait already. */
  check(name: string, passphrase: string, address: string, signal: AbortSignal): Promise<boolean>
}

/** A name is never locked: its owner would be locked out by anybody who knows it. Addresses are. */
const NO_NAME_LOCK = { attempts: 0, seconds: 0 }

export const createSmtpUsers = (deps: {
  readonly config: ConfigReader
  readonly clock: Clock
  readonly passphrases: Passphrases
}): SmtpUsers => {
  const { config, clock, passphrases } = deps
  const guard = createLoginGuard(clock)
  return {
    check: async (name, passphrase, address, signal) => {
      if (guard.addressLocked(address) || passphrase.length > MAX_LENGTH) return false
      const user = config.get(smtpAuth).users.find((u) => u.name === name)
      if (await passphrases.verify(user?.passphrase ?? null, passphrase)) {
        guard.succeeded(address, name)
        return true
      }
      const { waitMs } = guard.failed(address, name, NO_NAME_LOCK)
      if (waitMs > 0) await clock.sleep(waitMs, signal)
      return false
    },
  }
}
