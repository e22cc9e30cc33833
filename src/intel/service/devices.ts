import { createHash, timingSafeEqual } from 'node:crypto'
import type { Env } from '../../core/env.ts'
import { UserError } from '../../core/errors.ts'
import type { DeviceStore } from '../../store/repositories/intel.ts'

export interface Device {
  readonly serial: string
  readonly orgId: string
}

/**
 * Who may ask. A serial number is printed on the box and in every log: alone it is no credential. A device enrols once
 * with a secret that the service made and of which it keeps only a hash; with it the device gets tokens.
 */
export interface DeviceDesk {
  /** A new secret, shown this once; an older one of the serial and its tokens end. @throws UserError */
  enrol(serial: string): Promise<string>
  revoke(serial: string): Promise<boolean>
  list(): readonly string[]
  /** Whether the device of that serial has that secret. */
  holds(serial: string, secret: string): boolean
  /** null = unknown serial or wrong secret. The oldest tokens of a device end when it has too many. */
  issue(
    serial: string,
    secret: string,
    orgId: string,
  ): Promise<{ readonly token: string; readonly expiresAt: Date } | null>
  authenticate(token: string): Device | 'expired' | 'unknown'
}

export const TOKEN_MS = 24 * 3600_000
/** An ended token is told apart from an unknown one for this long. */
const REMEMBER_MS = 7 * 24 * 3600_000
const SERIAL = /^[A-Za-z0-9-]{4,64}$/

/** The secrets are 32 random bytes: a plain hash is enough, there is nothing to guess from a list of words. */
const hash = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

const same = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

export const isSerial = (text: string): boolean => SERIAL.test(text)

export const createDeviceDesk = (store: DeviceStore, env: Env, tokenMs = TOKEN_MS): DeviceDesk => {
  const secretText = (): string => Buffer.from(env.entropy.bytes(32)).toString('base64url')
  const holds = (serial: string, secret: string): boolean => {
    const known = store.secretHash(serial)
    // The comparison runs for unknown serials too.
    return same(known ?? hash(''), hash(secret)) && known !== null
  }
  return {
    holds,
    enrol: async (serial) => {
      if (!isSerial(serial)) throw new UserError('A serial number has 4 to 64 letters, digits and hyphens.')
      const secret = secretText()
      await store.enrol(serial, hash(secret), env.clock.now())
      return secret
    },
    revoke: (serial) => store.revoke(serial),
    list: () => store.serials(),
    issue: async (serial, secret, orgId) => {
      if (!holds(serial, secret)) return null
      const token = secretText()
      const now = env.clock.now().getTime()
      const expiresAt = new Date(now + tokenMs)
      await store.pruneTokens(new Date(now - REMEMBER_MS))
      await store.putToken(hash(token), serial, orgId, expiresAt)
      return { token, expiresAt }
    },
    authenticate: (token) => {
      const found = store.token(hash(token))
      if (!found) return 'unknown'
      return found.expiresAt.getTime() <= env.clock.now().getTime()
        ? 'expired'
        : { serial: found.serial, orgId: found.orgId }
    },
  }
}
