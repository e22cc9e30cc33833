import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Entropy } from '../core/entropy.ts'

/** Small files in `<home>/intel`, 0600: written whole or not at all. */
export const readText = (directory: string, name: string): string | null => {
  try {
    return readFileSync(join(directory, name), 'utf8').trim()
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
  }
}

export const writeText = (directory: string, name: string, text: string): void => {
  const path = join(directory, name)
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(fd, `${text}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
}

/** Key of the tracker header, made on first use: headers of last week still verify after a restart. */
export const trackerKey = (directory: string, entropy: Entropy): Uint8Array => {
  const known = readText(directory, 'tracker.key')
  if (known !== null && /^[0-9a-f]{64}$/.test(known)) return Buffer.from(known, 'hex')
  const key = Buffer.from(entropy.bytes(32))
  writeText(directory, 'tracker.key', key.toString('hex'))
  return key
}
