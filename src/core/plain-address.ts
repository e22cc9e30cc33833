import { isIP } from 'node:net'

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/

/**
 * The one form of an IP address by which it is compared, counted and shown: small letters, the shortest form of RFC 5952, and
 * an IPv4 address inside an IPv6 one (RFC 4291 §2.5.5.2) as IPv4, however it was written: an entry for `192.0.2.1` is not
 * passed by as `::ffff:c000:201`. What is no address stays as it is.
 */
export const plainAddress = (text: string): string => {
  if (isIP(text) !== 6) return text
  const [address = '', zone] = text.split('%')
  const short = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [, high, low] = MAPPED.exec(short) ?? []
  if (high !== undefined && low !== undefined) {
    const number = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16)
    return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.')
  }
  return zone === undefined ? short : `${short}%${zone}`
}

/** By which clients are counted: whoever has one IPv6 address has its /64. */
export const addressKey = (address: string): string => {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = plainAddress(address).split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0')
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}
