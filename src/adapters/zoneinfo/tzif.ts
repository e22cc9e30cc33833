import type { ZoneOffset } from '../../core/timezone.ts'
import { parsePosixTz } from './posix-tz.ts'
import type { ZoneRule } from './posix-tz.ts'

/** A compiled zone file (RFC 9636). @throws Error when it is none. */
export const parseTzif = (file: Buffer): ZoneRule => {
  const first = readHeader(file, 0)
  if (first.version === 0) return zone(file, first, 4, null)
  // Version 2 and later: a second block with 64-bit times follows the first, then the rule for the future.
  const second = readHeader(file, HEADER + blockLength(first, 4))
  const footer = file.subarray(second.start + HEADER + blockLength(second, 8)).toString('latin1')
  return zone(file, second, 8, parsePosixTz(/^\n([^\n]*)\n/.exec(footer)?.[1] ?? ''))
}

const HEADER = 44

interface Header {
  readonly start: number
  readonly version: number
  readonly utc: number
  readonly standard: number
  readonly leaps: number
  readonly times: number
  readonly types: number
  readonly chars: number
}

const readHeader = (file: Buffer, start: number): Header => {
  if (file.length < start + HEADER || file.toString('latin1', start, start + 4) !== 'TZif')
    throw new Error('not a compiled zone file')
  const count = (i: number): number => file.readUInt32BE(start + 20 + i * 4)
  return {
    start,
    version: file.readUInt8(start + 4),
    utc: count(0),
    standard: count(1),
    leaps: count(2),
    times: count(3),
    types: count(4),
    chars: count(5),
  }
}

const blockLength = (h: Header, size: 4 | 8): number =>
  h.times * (size + 1) + h.types * 6 + h.chars + h.leaps * (size + 4) + h.standard + h.utc

const zone = (file: Buffer, h: Header, size: 4 | 8, future: ZoneRule | null): ZoneRule => {
  const body = h.start + HEADER
  const timeAt = (i: number): number =>
    size === 8 ? Number(file.readBigInt64BE(body + i * 8)) : file.readInt32BE(body + i * 4)
  const times = Array.from({ length: h.times }, (_, i) => timeAt(i))
  const indexes = file.subarray(body + h.times * size, body + h.times * (size + 1))
  const types = body + h.times * (size + 1)
  const chars = types + h.types * 6
  const typeAt = (i: number): ZoneOffset => {
    const at = types + i * 6
    const name = chars + file.readUInt8(at + 5)
    return {
      offsetSeconds: file.readInt32BE(at),
      abbreviation: file.toString('latin1', name, file.indexOf(0, name)),
    }
  }
  const offsets = Array.from({ length: h.types }, (_, i) => typeAt(i))
  const utc: ZoneOffset = { offsetSeconds: 0, abbreviation: 'UTC' }
  return (at) => {
    const last = times.at(-1)
    if ((last === undefined || at >= last) && future !== null) return future(at)
    // The last transition that is not after the instant; before the first, type 0 holds (RFC 9636 §3.2).
    let low = 0
    let high = times.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((times[middle] ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return offsets[low === 0 ? 0 : (indexes[low - 1] ?? 0)] ?? utc
  }
}
