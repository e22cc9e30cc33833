import { domainToASCII } from 'node:url'
import { authorityEnd } from './absolute.ts'

/**
 * The canonical form of a URL for matching, by the rules of Safe Browsing (intelligence.md §4b). What is looked up and
 * logged stays the URL as found; this form is only compared. Scheme, user, password and port do not count.
 *
 * Bytes are held as a latin-1 string: one character, one byte. Every step costs time in proportion to the URL.
 */
export interface CanonicalUrl {
  /** Lower case, punycode, IPv4 as four decimals, IPv6 in brackets. */
  readonly host: string
  /** Starts with `/`. */
  readonly path: string
  /** Without its `?`; null = there is none. */
  readonly query: string | null
}

const MAX_HOST = 512

export const canonicalUrl = (url: string): CanonicalUrl | null => {
  const text = url.replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, '').replace(/[\t\r\n]/g, '')
  const rest = text.replace(/^[a-z][a-z0-9+.-]*:[\\/]{2}/i, '').replace(/#.*$/s, '')
  const end = authorityEnd(rest)
  const authority = rest.slice(0, end)
  const host = canonicalHost(authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d{0,5}$/, ''))
  if (host === '') return null
  const tail = unescape(utf8(rest.slice(end)))
  const mark = tail.indexOf('?')
  const path = normalPath(mark < 0 ? tail : tail.slice(0, mark))
  return { host, path: escape(path), query: mark < 0 ? null : escape(tail.slice(mark + 1)) }
}

/** `host/path?query`, the text that opinions about URLs are stored and matched by. */
export const canonicalText = (c: CanonicalUrl): string => c.host + c.path + (c.query === null ? '' : `?${c.query}`)

/** '' when the text cannot be a host. */
export const canonicalHost = (raw: string): string => {
  if (/^\[[0-9a-f:.]+\]$/i.test(raw)) return ipv6(raw)
  const bytes = singleDots(unescape(utf8(raw.slice(0, MAX_HOST * 3))))
  const host = singleDots(punycode(bytes)).replace(/[A-Z]/g, (c) => c.toLowerCase())
  if (host === '' || host.length > MAX_HOST) return ''
  return ipv4(host) ?? escape(host, '/?@:\\[]')
}

/** Characters at which a URL parser would end the host, or that no UTF-8 gives: such a name has no punycode. */
const NO_NAME = /[\u0000-\u0020#%/:<>?@[\\\]^|\ufffd]/

/** The name in punycode where it is one beyond ASCII; else the bytes. */
const punycode = (bytes: string): string => {
  if (!/[^\u0000-\u007f]/.test(bytes)) return bytes
  const name = singleDots(
    Buffer.from(bytes, 'latin1')
      .toString('utf8')
      .replace(/[\u3002\uff0e\uff61]/g, '.'),
  )
  return NO_NAME.test(name) ? bytes : domainToASCII(name) || utf8(name)
}

/** Neither empty labels nor a dot at either end. */
const singleDots = (name: string): string => name.replace(/\.{2,}/g, '.').replace(/^\.|\.$/g, '')

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const HEX = /^[0-9a-fA-F]{2}$/

/**
 * Undoes %XX until none is left. Escapes do not overlap, so undoing each as soon as it is complete gives the same as
 * repeated passes, in one pass: a pass per level would make `%2525…` quadratic.
 */
const unescape = (bytes: string): string => {
  if (!bytes.includes('%')) return bytes
  const out: string[] = []
  for (const c of bytes) {
    out.push(c)
    while (out.length >= 3 && out[out.length - 3] === '%') {
      const hex = `${out[out.length - 2]}${out[out.length - 1]}`
      if (!HEX.test(hex)) break
      out.length -= 3
      out.push(String.fromCharCode(parseInt(hex, 16)))
    }
  }
  return out.join('')
}

const escape = (bytes: string, also = ''): string =>
  bytes.replace(/[^]/g, (c) => {
    const code = c.charCodeAt(0)
    if (code > 0x20 && code < 0x7f && c !== '#' && c !== '%' && !also.includes(c)) return c
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`
  })

/** Resolves `.` and `..`, makes backslashes slashes (as browsers do) and runs of slashes one. */
const normalPath = (path: string): string => {
  const out: string[] = []
  const segments = path.replaceAll('\\', '/').split('/')
  const last = segments[segments.length - 1] as string
  for (const segment of segments) {
    if (segment === '..') out.pop()
    else if (segment !== '' && segment !== '.') out.push(segment)
  }
  const folder = last === '' || last === '.' || last === '..'
  return out.length === 0 ? '/' : `/${out.join('/')}${folder ? '/' : ''}`
}

const part = (text: string): number | null => {
  if (/^0x[0-9a-f]{0,16}$/.test(text)) return text === '0x' ? 0 : parseInt(text.slice(2), 16)
  if (/^0[0-7]{0,22}$/.test(text)) return parseInt(text, 8)
  return /^[1-9][0-9]{0,19}$/.test(text) ? Number(text) : null
}

/** One to four parts, decimal, octal or hexadecimal, as inet_aton reads them. */
const ipv4 = (host: string): string | null => {
  const parts = host.split('.').map(part)
  if (parts.length > 4 || parts.some((p) => p === null)) return null
  const numbers = parts as number[]
  const lastPart = numbers.pop() as number
  if (numbers.some((n) => n > 255) || lastPart >= 256 ** (4 - numbers.length)) return null
  const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), lastPart)
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

const ipv6 = (bracketed: string): string => {
  try {
    return new URL(`http://${bracketed}/`).hostname
  } catch {
    return ''
  }
}
