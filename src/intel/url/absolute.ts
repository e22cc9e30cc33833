import { getPublicSuffix, parse } from 'tldts'

/** A longer URL is cut here: what is judged is its host and the beginning of its path, so padding hides nothing. */
export const MAX_URL = 8192

// Browsers drop these from a host name (UTS 46, status "ignored"), readers do not see them; direction marks likewise.
export const INVISIBLE =
  /[\u00ad\u034f\u180b-\u180d\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]/g
const LEADING = new RegExp(`^${INVISIBLE.source}+`)
const LINE_PARTS = /[\t\r\n]/g
// WHATWG URL: leading and trailing C0 controls and blanks do not count.
const EDGES = /^[\u0000-\u0020]+|[\u0000-\u0020]+$/g
const SPECIAL = /^(https?|ftp):[\\/]*/i
const OTHER_SCHEME = /^[a-z][a-z0-9+.-]*:/i

/** The port of an authority, if it has one. */
const PORT = /:\d{0,5}$/

const HOST = /^(?:\[[0-9a-f:.]+\]|[^\u0000-\u0020!"#$&'()*+,/:;<=>?@[\\\]^`{|}]+)$/i

/** The host of `rest` (an absolute URL without its scheme), without user part and port; '' when there is none that could be one. */
export const hostOf = (rest: string): string => {
  const authority = rest.slice(0, authorityEnd(rest))
  // Userinfo trick: in `bank.example@evil.example` the host is what follows the last @.
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(PORT, '')
  return HOST.test(host) && /[^.\u3002\uff0e\uff61]/.test(host) ? host : ''
}

export const authorityEnd = (rest: string): number => {
  const end = rest.search(/[/\\?#]/)
  return end < 0 ? rest.length : end
}

/** The authority without what nobody sees in it. In a path such characters count. */
const visible = (rest: string): string => {
  const end = authorityEnd(rest)
  return rest.slice(0, end).replace(INVISIBLE, '') + rest.slice(end)
}

/** Backslashes are slashes to browsers, up to the query. */
const slashes = (rest: string): string => {
  const query = rest.search(/[?#]/)
  if (query < 0) return rest.replaceAll('\\', '/')
  return rest.slice(0, query).replaceAll('\\', '/') + rest.slice(query)
}

/** As the public suffix list knows it: IDNA takes other full stops for dots. */
const plainName = (host: string): string => host.toLowerCase().replace(/[\u3002\uff0e\uff61]/g, '.')

/** Does a name without scheme look like a host of the public internet? `strict`: also without a path behind it. */
export const isPublicHost = (host: string): boolean => {
  const result = parse(plainName(host), { allowPrivateDomains: false, extractHostname: false, validateHostname: true })
  return result.isIcann === true && result.domain !== null
}

/** Names that writers mean as links even without scheme and path. Country codes such as `.py`, `.md`, `.sh` are file names. */
const EVERYDAY = new Set(['com', 'net', 'org', 'edu', 'gov', 'info', 'biz'])
export const isEverydayHost = (host: string): boolean =>
  EVERYDAY.has(getPublicSuffix(plainName(host), { extractHostname: false }) ?? '') && isPublicHost(host)

/**
 * The absolute http, https or ftp URL that a mail client would open for `raw`; null for everything else (mailto, cid,
 * data, relative references without a base).
 */
export const absoluteUrl = (raw: string, base: string | null = null): string | null => {
  const text = (raw.length > MAX_URL * 2 ? raw.slice(0, MAX_URL * 2) : raw)
    .replace(EDGES, '')
    .replace(LINE_PARTS, '')
    .replace(LEADING, '')
    .slice(0, MAX_URL)
  const scheme = SPECIAL.exec(text)
  if (scheme) {
    const rest = slashes(visible(text.slice(scheme[0].length)))
    return hostOf(rest) === '' ? null : `${(scheme[1] as string).toLowerCase()}://${rest}`
  }
  if (/^[\\/]{2}/.test(text)) return absoluteUrl(`http:${text}`)
  if (base !== null) return resolved(text, base)
  if (OTHER_SCHEME.test(text) && !/^[^:/?#]+:\d{1,5}(?:[/?#]|$)/.test(text)) return null
  const bare = visible(text)
  const host = hostOf(bare)
  if (host === '' || bare.slice(0, authorityEnd(bare)).includes('@')) return null
  const linkLike = /^www\./i.test(host) || bare.length > host.length ? isPublicHost(host) : isEverydayHost(host)
  return linkLike ? `http://${slashes(bare)}` : null
}

const resolved = (reference: string, base: string): string | null => {
  try {
    const url = new URL(reference, base)
    return /^(?:https?|ftp):$/.test(url.protocol) ? url.href.slice(0, MAX_URL) : null
  } catch {
    return null
  }
}
