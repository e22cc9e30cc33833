import { randomBytes, randomInt } from 'node:crypto'

/** Randomness as an argument, so that tests are repeatable. */
export interface Entropy {
  bytes(length: number): Uint8Array
  /** Uniform integer in [0, maxExclusive). */
  int(maxExclusive: number): number
}

export const systemEntropy: Entropy = {
  bytes: (length) => randomBytes(length),
  int: (maxExclusive) => randomInt(maxExclusive),
}

/** RFC 9562 version 4 UUID from the given entropy. */
export const uuid = (entropy: Entropy): string => {
  const b = Buffer.from(entropy.bytes(16))
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80
  const h = b.toString('hex')
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
}
