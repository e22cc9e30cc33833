import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ParsedKey } from 'ssh2'
import { Fault, errorText } from '../core/errors.ts'
import { fingerprint } from '../config/public-key.ts'

/** What the server proves itself with. */
export interface HostKeys {
  readonly keys: readonly ParsedKey[]
  readonly shown: readonly { readonly type: string; readonly fingerprint: string }[]
}

const RSA_BITS = 3072

/** RFC 8332: signatures with SHA-2. */
const RSA_NAMES = ['rsa-sha2-512', 'rsa-sha2-256'] as const

/** Under its own name ssh2 would offer an RSA key with SHA-1 as well, whatever it is told of algorithms. */
const renamed = (key: ParsedKey, type: string): ParsedKey => Object.create(key, { type: { value: type } }) as ParsedKey

/** ssh2 is loaded when the first SSH server of the process starts, not before. */
export const ssh2 = async () => {
  const { default: library } = await import('ssh2')
  return library
}

/** The host keys in `directory` (mode 0600), made on the first start and kept: clients know the appliance by them. */
export const hostKeys = async (directory: string): Promise<HostKeys> => {
  const { utils } = await ssh2()
  const one = async (name: string, make: () => Promise<string>): Promise<ParsedKey> => {
    const path = join(directory, `ssh_host_${name}_key`)
    if (!existsSync(path)) {
      writeFileSync(`${path}.new`, await make(), { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
    }
    // A copied or restored key file may have lost its mode.
    chmodSync(path, 0o600)
    const key = utils.parseKey(readFileSync(path, 'utf8'))
    if (key instanceof Error || Array.isArray(key))
      throw new Fault('STORE_CORRUPT', `The host key ${path} cannot be read (${errorText(key)}); restore or remove it.`)
    return key
  }
  const generate = (type: 'ed25519' | 'rsa'): Promise<string> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, keys: { readonly private: string }): void => {
        if (error) reject(error)
        else resolve(keys.private)
      }
      if (type === 'rsa') utils.generateKeyPair('rsa', { bits: RSA_BITS }, done)
      else utils.generateKeyPair('ed25519', done)
    })
  const keys = [
    await one('ed25519', async () => await generate('ed25519')),
    await one('rsa', async () => await generate('rsa')),
  ]
  return {
    keys: keys.flatMap((key) => (key.type === 'ssh-rsa' ? RSA_NAMES.map((name) => renamed(key, name)) : [key])),
    shown: keys.map((key) => ({ type: key.type, fingerprint: fingerprint(key.getPublicSSH()) })),
  }
}
