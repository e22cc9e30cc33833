import { randomBytes, randomFillSync, randomInt } from 'node:crypto'

/** Randomness as an argument, so that tests are repeatable. */
export interface Entropy {
  bytes(length: number): Uint8Array
  /** Uniform integer in [0, maxExclusive). */
  int(maxExclusive: number): number
}

/** Small requests are cut from a block: a call of the kernel for each costs more than the bytes. Nothing is given twice. */
const BLOCK = 4096
const block = new Uint8Array(BLOCK)
let used = BLOCK
const fromBlock = (length: number): Uint8Array => {
  if (used + length > block.length) {
    randomFillSync(block)
    used = 0
  }
  const bytes = block.slice(used, used + length)
  block.fill(0, used, used + length)
  used += length
  return bytes
}

export const systemEntropy: Entropy = {
  bytes: (length) => (length <= 64 ? fromBlock(length) : randomBytes(length)),
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
