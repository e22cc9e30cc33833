import { createHash } from 'node:crypto'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

/** A public key as `authorized_keys` has it; options in front of it are refused, they would be ignored in silence. */
export interface PublicKey {
  readonly type: string
  readonly blob: Buffer
  readonly comment: string
}

const TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'] as const
const LINE = /^(\S+)\s+([A-Za-z0-9+/]+={0,2})(?:\s+(.*))?$/
const MIN_RSA_BITS = 2048
const MAX_LENGTH = 8192

/** The fields of a key's blob (RFC 4251 §5 strings), or null when the lengths do not add up. */
const fields = (blob: Buffer): readonly Buffer[] | null => {
  const found: Buffer[] = []
  for (let at = 0; at < blob.length;) {
    if (at + 4 > blob.length) return null
    const end = at + 4 + blob.readUInt32BE(at)
    if (end > blob.length) return null
    found.push(blob.subarray(at + 4, end))
    at = end
  }
  return found
}

const bitsOf = (modulus: Buffer): number => BigInt(`0x0${modulus.toString('hex')}`).toString(2).length

/** Reads `ssh-ed25519 AAAA… comment`. */
export const parsePublicKey = (text: string): Result<PublicKey> => {
  const [, type = '', base64 = '', comment = ''] = LINE.exec(text.trim().slice(0, MAX_LENGTH)) ?? []
  if (!(TYPES as readonly string[]).includes(type))
    return fail(`The key must be one line that begins with ${TYPES.slice(0, -1).join(', ')} or ${TYPES.at(-1)}.`)
  const blob = Buffer.from(base64, 'base64')
  const parts = fields(blob)
  if (parts?.[0]?.toString('latin1') !== type) return fail('The key is damaged: paste the whole line of the .pub file.')
  if (type === 'ssh-rsa' && bitsOf(parts[2] ?? Buffer.alloc(0)) < MIN_RSA_BITS)
    return fail(`An RSA key must have at least ${MIN_RSA_BITS} bits.`)
  return ok({ type, blob, comment: comment.trim() })
}

/** `SHA256:…`, as ssh-keygen -l prints it. */
export const fingerprint = (blob: Uint8Array): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
