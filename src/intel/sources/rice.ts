import { FeedFault } from './port.ts'

/** Deltas of ascending numbers below 2^32, as Golomb and Rice wrote them down; `count` does not count the first. */
export interface RiceDeltas {
  readonly first: number
  readonly parameter: number
  readonly count: number
  readonly data: Uint8Array
}

const TOP = 0xffff_ffff

/**
 * The numbers again. Each delta is a quotient in unary (ones, ended by a zero) and `parameter` bits of remainder, all with
 * the lowest bit first (Safe Browsing v4 and Web Risk, "Compression"; v5 keeps it). @throws FeedFault
 */
export const riceNumbers = ({ first, parameter, count, data }: RiceDeltas): Uint32Array => {
  // A delta takes a bit at least: what promises more is not believed, nor given memory.
  if (count > data.length * 8 || parameter < 0 || parameter > 32) throw new FeedFault('a list is not Rice-coded')
  const out = new Uint32Array(count + 1)
  let value = first
  let at = 0
  const bit = (): number => {
    const byte = data[at >> 3]
    if (byte === undefined) throw new FeedFault('a list ends in the middle')
    return (byte >> (at++ & 7)) & 1
  }
  out[0] = value
  for (let n = 1; n <= count; n++) {
    let quotient = 0
    while (bit() === 1) quotient++
    let remainder = 0
    for (let i = 0; i < parameter; i++) remainder += bit() * 2 ** i
    value += quotient * 2 ** parameter + remainder
    if (value > TOP) throw new FeedFault('a list holds a number above 32 bits')
    out[n] = value
  }
  return out
}
