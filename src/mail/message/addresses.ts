import { decodeHeader } from './encoded-words.ts'

/** One mailbox of a From, Reply-To, To or Cc header. */
export interface HeaderAddress {
  /** Display name, decoded; '' when there is none. */
  readonly name: string
  /** `user@example.com`; '' when nothing like an address was found. */
  readonly address: string
}

const MAX_ADDRESSES = 1000

/**
 * RFC 5322 §3.4, forgiving. The address is what stands in angle brackets, not what the display name pretends
 * (`"ceo@example.com" <x@evil.example>`). Groups give their members.
 */
export const parseAddresses = (raw: string): readonly HeaderAddress[] => {
  const found: HeaderAddress[] = []
  for (const piece of splitAddresses(raw.replace(/\r?\n(?=[ \t])/g, ''))) {
    if (found.length >= MAX_ADDRESSES) break
    const mailbox = parseMailbox(piece)
    if (mailbox.address !== '' || mailbox.name !== '') found.push(mailbox)
  }
  return found
}

/** At commas, semicolons and a group's colon, outside quotes, comments and angle brackets. Comments are dropped. */
const splitAddresses = (text: string): readonly string[] => {
  const pieces: string[] = []
  let piece = ''
  let quoted = false
  let comment = 0
  let angle = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '\\' && (quoted || comment > 0)) {
      if (comment === 0) piece += c + text.charAt(i + 1)
      i++
    } else if (comment > 0) {
      if (c === '(') comment++
      if (c === ')') comment--
    } else if (c === '"') {
      quoted = !quoted
      piece += c
    } else if (quoted) piece += c
    else if (c === '(') comment++
    else if (!angle && (c === ',' || c === ';' || c === ':')) {
      if (c !== ':') pieces.push(piece)
      piece = ''
    } else {
      if (c === '<') angle = true
      if (c === '>') angle = false
      piece += c
    }
  }
  pieces.push(piece)
  return pieces
}

const parseMailbox = (piece: string): HeaderAddress => {
  const open = lastUnquoted(piece, '<')
  if (open >= 0) {
    const close = piece.indexOf('>', open)
    const inner = piece.slice(open + 1, close < 0 ? undefined : close).trim()
    return { name: displayName(piece.slice(0, open)), address: inner.replace(/^@[^:]*:/, '').replace(/\s+/g, '') }
  }
  const bare = piece.trim()
  return /^\S+@\S+$/.test(bare) ? { name: '', address: bare } : { name: displayName(bare), address: '' }
}

const lastUnquoted = (text: string, wanted: string): number => {
  let quoted = false
  let at = -1
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '\\') i++
    else if (c === '"') quoted = !quoted
    else if (c === wanted && !quoted) at = i
  }
  return at
}

const displayName = (text: string): string =>
  decodeHeader(text.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1'))).trim()

/** `user@EXAMPLE.com` → `example.com`; null when there is no domain. */
export const domainOf = (address: string): string | null => {
  const at = address.lastIndexOf('@')
  const domain =
    at < 0
      ? ''
      : address
          .slice(at + 1)
          .replace(/\.$/, '')
          .toLowerCase()
  return domain === '' ? null : domain
}
