import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ParsedKey } from 'ssh2'
import { Fault, errorText } from '../core/errors.ts'
import { fingerprint } from '../config/public-key.ts'

/** What the server proves itself with. */
export interface HostKeys {
  readonly pem: readonly string[]
  readonly shown: readonly { readonly type: string; readonly fingerprint: string }[]
}

const RSA_BITS = 3072

/** ssh2 is loaded when the first SSH server of the process starts, not before. */
export const ssh2 = async () => {
  const { default: library } = await import('ssh2')
  return library
}

/** The host keys in `directory` (mode 0600), made on the first start and kept: clients know the appliance by them. */
export const hostKeys = async (directory: string): Promise<HostKeys> => {
  const { utils } = await ssh2()
  const one = async (name: string, make: () => Promise<string>): Promise<{ pem: string; key: ParsedKey }> => {
    const path = join(directory, `ssh_host_${name}_key`)
    if (!existsSync(path)) {
      writeFileSync(`${path}.new`, await make(), { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
    }
    // A copied or restored key file may have lost its mode.
    chmodSync(path, 0o600)
    const pem = readFileSync(path, 'utf8')
    const key = utils.parseKey(pem)
    if (key instanceof Error || Array.isArray(key))
      throw new Fault('STORE_CORRUPT', `The host key ${path} cannot be read (${errorText(key)}); restore or remove it.`)
    return { pem, key }
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
    pem: keys.map(({ pem }) => pem),
    shown: keys.map(({ key }) => ({ type: key.type, fingerprint: fingerprint(key.getPublicSSH()) })),
  }
}
