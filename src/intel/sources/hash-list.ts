import { createHash } from 'node:crypto'
import { FeedFault } from './port.ts'

/**
 * A provider's list of prefixes of hashes, in the order of their bytes. Nearly all have four bytes; some are longer, so
 * that they do not meet the hash of a popular page.
 */
export interface HashList {
  /** First four bytes of each, ascending. */
  readonly heads: Uint32Array
  /** What follows the first four bytes, by position. */
  readonly tails: ReadonlyMap<number, Buffer>
}

export interface HashListChange {
  /** Nothing of the list before is kept. */
  readonly whole: boolean
  /** Positions in the list before. */
  readonly removals: ArrayLike<number>
  readonly additions: HashList
  /** Of all bytes of the new list. */
  readonly sha256: Buffer | null
}

export const EMPTY_LIST: HashList = { heads: new Uint32Array(0), tails: new Map() }
export const MAX_ENTRIES = 10_000_000
const NO_TAIL = Buffer.alloc(0)

/** A list of prefixes of one length, from their bytes one behind the other. @throws FeedFault */
export const listOfBytes = (bytes: Buffer, size: number): HashList => {
  if (size < 4 || size > 32 || bytes.length % size !== 0) throw new FeedFault('a list has prefixes of no known length')
  const all = Array.from({ length: bytes.length / size }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
  all.sort((a, b) => a.compare(b))
  const tails = size === 4 ? [] : all.map((entry, n) => [n, Buffer.from(entry.subarray(4))] as const)
  return { heads: Uint32Array.from(all, (entry) => entry.readUInt32BE(0)), tails: new Map(tails) }
}

export const listOfNumbers = (numbers: Uint32Array): HashList => ({ heads: numbers.slice().sort(), tails: new Map() })

/** Numbers whose bytes were read from the wrong end. */
export const swapped = (numbers: Uint32Array): Uint32Array => {
  const bytes = Buffer.from(numbers.buffer.slice(numbers.byteOffset, numbers.byteOffset + numbers.byteLength))
  bytes.swap32()
  return new Uint32Array(bytes.buffer, bytes.byteOffset, numbers.length)
}

const tailOf = (list: HashList, at: number): Buffer => list.tails.get(at) ?? NO_TAIL

/** Of two sorted lists one, without the positions that are taken out of the first. */
export const merged = (one: HashList, removed: ArrayLike<number>, other: HashList): HashList => {
  const gone = new Set(Array.from(removed))
  const heads = new Uint32Array(one.heads.length + other.heads.length)
  const tails = new Map<number, Buffer>()
  let length = 0
  const push = (list: HashList, at: number): void => {
    const tail = list.tails.get(at)
    if (tail) tails.set(length, tail)
    heads[length++] = list.heads[at] as number
  }
  let a = 0
  let b = 0
  while (a < one.heads.length || b < other.heads.length) {
    if (gone.has(a) && a < one.heads.length) a++
    else if (a >= one.heads.length) push(other, b++)
    else if (b >= other.heads.length) push(one, a++)
    else {
      const difference = (one.heads[a] as number) - (other.heads[b] as number)
      const first = difference === 0 ? tailOf(one, a).compare(tailOf(other, b)) : difference
      if (first <= 0) push(one, a++)
      else push(other, b++)
    }
  }
  return { heads: heads.slice(0, length), tails }
}

/** All prefixes' bytes in order. */
export const listBytes = (list: HashList): Buffer => {
  const whole = Buffer.from(swapped(list.heads).buffer)
  if (list.tails.size === 0) return whole
  const parts: Buffer[] = []
  let from = 0
  for (const at of [...list.tails.keys()].sort((x, y) => x - y)) {
    parts.push(whole.subarray(from * 4, (at + 1) * 4), tailOf(list, at))
    from = at + 1
  }
  return Buffer.concat([...parts, whole.subarray(from * 4)])
}

/** @throws FeedFault when the result is not what the provider has: then only the whole list helps. */
export const changedList = (list: HashList, change: HashListChange): HashList => {
  const before = change.whole ? EMPTY_LIST : list
  const same = !change.whole && change.removals.length === 0 && change.additions.heads.length === 0
  const next = same ? list : merged(before, change.whole ? [] : change.removals, change.additions)
  if (next.heads.length > MAX_ENTRIES) throw new FeedFault(`a list has more than ${MAX_ENTRIES} entries`)
  const sum = createHash('sha256').update(listBytes(next)).digest()
  if (change.sha256 !== null && !sum.equals(change.sha256)) throw new FeedFault('a list is not what its checksum says')
  return next
}

/** Does the list hold a prefix of this hash? */
export const holds = (list: HashList, hash: Buffer): boolean => {
  const head = hash.readUInt32BE(0)
  let low = 0
  let high = list.heads.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list.heads[middle] as number) < head) low = middle + 1
    else high = middle
  }
  for (; list.heads[low] === head; low++) {
    const tail = tailOf(list, low)
    if (hash.subarray(4, 4 + tail.length).equals(tail)) return true
  }
  return false
}
