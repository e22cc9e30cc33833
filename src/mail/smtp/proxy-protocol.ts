import { isIP } from 'node:net'
import { plainAddress } from '../../core/plain-address.ts'

/** What the balancer says of a connection. `address` null = it speaks for itself (health checks). */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'done'; readonly address: string | null; readonly length: number }

const INVALID: ProxyHeader = { kind: 'invalid' }
const INCOMPLETE: ProxyHeader = { kind: 'incomplete' }
/** PROXY protocol §2.1: the longest line with its CRLF. */
const MAX_LINE = 107
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const FIXED = SIGNATURE.length + 4
/** Addresses and extensions of version 2; more than this is no header of a balancer. */
const MAX_BODY = 4096

const startsLike = (bytes: Buffer, expected: Buffer): boolean => {
  const length = Math.min(bytes.length, expected.length)
  return bytes.subarray(0, length).equals(expected.subarray(0, length))
}

const LINE = /^PROXY (?:UNKNOWN(?: .*)?|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/

const readLine = (bytes: Buffer): ProxyHeader => {
  const end = bytes.indexOf('\r\n')
  if (end < 0) return bytes.length >= MAX_LINE ? INVALID : INCOMPLETE
  if (end + 2 > MAX_LINE) return INVALID
  const [all, family, source = '', destination = '', ...ports] = LINE.exec(bytes.toString('latin1', 0, end)) ?? []
  if (all === undefined) return INVALID
  const length = end + 2
  if (family === undefined) return { kind: 'done', address: null, length }
  const version = family === 'TCP4' ? 4 : 6
  const good = isIP(source) === version && isIP(destination) === version && ports.every((p) => Number(p) <= 65_535)
  return good ? { kind: 'done', address: plainAddress(source), length } : INVALID
}

const address6 = (bytes: Buffer): string => {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16))
  return plainAddress(words.join(':'))
}

const readBinary = (bytes: Buffer): ProxyHeader => {
  if (bytes.length < FIXED) return INCOMPLETE
  const command = bytes.readUInt8(SIGNATURE.length)
  const family = bytes.readUInt8(SIGNATURE.length + 1)
  const size = bytes.readUInt16BE(SIGNATURE.length + 2)
  if (command >> 4 !== 2 || (command & 15) > 1 || size > MAX_BODY) return INVALID
  const length = FIXED + size
  if (bytes.length < length) return INCOMPLETE
  const body = bytes.subarray(FIXED, length)
  if ((command & 15) === 0) return { kind: 'done', address: null, length }
  if (family === 0x11 && size >= 12) return { kind: 'done', address: body.subarray(0, 4).join('.'), length }
  if (family === 0x21 && size >= 36) return { kind: 'done', address: address6(body), length }
  return family === 0 ? { kind: 'done', address: null, length } : INVALID
}

/** Reads the header that HAProxy and other balancers send first (PROXY protocol, versions 1 and 2). */
export const readProxyHeader = (bytes: Buffer): ProxyHeader => {
  if (startsLike(bytes, SIGNATURE) && bytes.length > 0)
    return bytes.length < SIGNATURE.length ? INCOMPLETE : readBinary(bytes)
  return startsLike(bytes, Buffer.from('PROXY ')) ? readLine(bytes) : INVALID
}
