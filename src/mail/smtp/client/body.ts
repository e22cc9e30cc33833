/**
 * A message on its way out. What could be an end of data to some host must not leave here: a line ends in CRLF and in nothing
 * else. A CR or LF alone becomes CRLF, a NUL is taken out (hosts that drop it would see the bytes around it as neighbours),
 * and only then are the dots at the beginnings of lines doubled (RFC 5321 §4.5.2). docs/compatibility.md has the reasons.
 */
const NUL = 0
const LF = 10
const CR = 13
const CHUNK = 65_536
const CRLF = Buffer.from('\r\n')
const END = Buffer.from('.\r\n')
const STUFFED = Buffer.from('\r\n..')

/** The offset of the first CR or LF that stands alone, or NUL; -1 = none. */
const firstOdd = (bytes: Buffer, from: number): number => {
  const { length } = bytes
  for (let i = from; i < length; i++) {
    let byte = bytes[i] as number
    while (byte > CR && ++i < length) byte = bytes[i] as number
    if (i >= length) break
    if (byte === NUL || byte === LF) return i
    if (byte === CR) {
      if (bytes[i + 1] !== LF) return i
      i++
    }
  }
  return -1
}

/** The message with CRLF line ends only and without NUL; the same buffer when it is so already. */
export const canonicalText = (bytes: Buffer): Buffer => {
  const first = firstOdd(bytes, 0)
  if (first < 0) return bytes
  let count = 0
  for (let odd = first; odd >= 0; odd = firstOdd(bytes, odd + 1)) count++
  const out = Buffer.alloc(bytes.length + count)
  let length = 0
  let from = 0
  for (let odd = first; odd >= 0; odd = firstOdd(bytes, from)) {
    length += bytes.copy(out, length, from, odd)
    if (bytes[odd] !== NUL) length += CRLF.copy(out, length)
    from = odd + 1
  }
  length += bytes.copy(out, length, from)
  return out.subarray(0, length)
}

/** The text with dots doubled, in pieces of about `chunk` bytes, and the lone dot that ends it. */
export function* wireBody(message: Buffer, chunk = CHUNK): Generator<Buffer> {
  const bytes = canonicalText(message)
  if (bytes[0] === 46) yield END.subarray(0, 1)
  for (let at = 0; at < bytes.length;) {
    const parts: Buffer[] = []
    const to = Math.min(bytes.length, at + chunk)
    for (let from = at; ;) {
      // One that begins in this piece belongs to it; nothing is searched twice.
      const found = from < to ? bytes.subarray(from, to + 2).indexOf('\r\n.', 0, 'latin1') : -1
      if (found < 0) {
        if (from < to) parts.push(bytes.subarray(from, to))
        at = Math.max(from, to)
        break
      }
      parts.push(bytes.subarray(from, from + found), STUFFED)
      from += found + 3
    }
    yield parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  }
  const ended = bytes.length === 0 || bytes.subarray(-2).equals(CRLF)
  yield ended ? END : Buffer.concat([CRLF, END])
}
