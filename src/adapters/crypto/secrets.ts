import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { SecretBox } from '../../config/secrets.ts'
import type { Entropy } from '../../core/entropy.ts'
import { Fault, UserError } from '../../core/errors.ts'

const PREFIX = '$lychgate1$'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
/** Domain separation: the key encrypts nothing but configuration secrets. */
const CONTEXT = Buffer.from('lychgate configuration secret')

/** AES-256-GCM: `$lychgate1$<first 8 hex of the key's SHA-256>$<base64 of IV, tag, JSON string>`: JSON carries what UTF-8 cannot. */
export const createSecretBox = (key: Uint8Array, entropy: Entropy): SecretBox => {
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return {
    seal: (plain) => {
      const iv = entropy.bytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(CONTEXT)
      const sealed = Buffer.concat([cipher.update(JSON.stringify(plain), 'utf8'), cipher.final()])
      return `${PREFIX}${keyId}$${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64')}`
    },
    open: (sealed) => {
      const [id, body] = sealed.startsWith(PREFIX) ? sealed.slice(PREFIX.length).split('$') : []
      if (id === undefined || body === undefined) throw new UserError('It is not an encrypted secret.')
      if (id !== keyId)
        throw new UserError(`It was encrypted with the key ${id.slice(0, 8)}; the key of this appliance is ${keyId}.`)
      const bytes = Buffer.from(body, 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        }).setAAD(CONTEXT)
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
        const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
        return JSON.parse(text) as string
      } catch {
        throw new UserError('Its encrypted text is damaged.')
      }
    },
  }
}

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const readKey = (path: string): Buffer | null => {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
  const key = Buffer.from(text, 'base64')
  if (key.length !== KEY_BYTES)
    throw new Fault('STORE_CORRUPT', `The key file ${path} does not hold a key of ${KEY_BYTES} bytes in base64.`)
  // A copied or restored key file may have lost its mode.
  chmodSync(path, 0o600)
  return key
}

/** Written whole and synced before it gets its name, so that kill -9 leaves no half key and two starts agree on one. */
const makeKey = (path: string, entropy: Entropy): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.new`
  const fd = openSync(draft, 'w', 0o600)
  try {
    writeSync(fd, `${Buffer.from(entropy.bytes(KEY_BYTES)).toString('base64')}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** The appliance's key file, made on first use, mode 0600, outside the database. */
export const openSecretBox = (path: string, entropy: Entropy): SecretBox => {
  let key = readKey(path)
  if (!key) {
    makeKey(path, entropy)
    key = readKey(path)
  }
  if (!key) throw new Fault('INTERNAL', `The key file ${path} cannot be made.`)
  return createSecretBox(key, entropy)
}
