import { decodeHeader } from './encoded-words.ts'

/** One mailbox of a From, Reply-To, To or Cc header. */
export interface HeaderAddress {
  /** Display name, decoded; '' when there is none. */
  readonly name: string
  /** `user@example.com`; '' when nothing like an address was found. */
  readonly address: string
}

/** Of the address fields of one message: what comes after is not looked at. */
export const ADDRESS_LIMITS = { addresses: 1000, characters: 65_536 } as const

export interface HeaderAddresses {
  readonly found: readonly HeaderAddress[]
  /** There is more than was looked at: who judges by all addresses must not take these for all. */
  readonly cut: boolean
}

/** Of all fields of these names (lower case), name by name. */
export const addressesIn = (
  headers: readonly { readonly name: string; readonly raw: string }[],
  ...names: readonly string[]
): HeaderAddresses =>
  readAddresses(names.flatMap((name) => headers.flatMap((h) => (h.name.toLowerCase() === name ? [h.raw] : []))))

/**
 * The addresses of fields (their bodies, in order), RFC 5322 §3.4, forgiving. The address is what stands in angle
 * brackets, not what the display name pretends (`"ceo@example.com" <x@evil.example>`). Groups give their members.
 * One pass: what a sender may write in a megabyte of header must not hold up the others.
 */
export const readAddresses = (fields: readonly string[]): HeaderAddresses => {
  const found: HeaderAddress[] = []
  let left: number = ADDRESS_LIMITS.characters
  for (const field of fields) {
    const cut = field.length > left
    const pieces = splitAddresses(field.slice(0, left).replace(/\r?\n(?=[ \t])/g, ''))
    // Half an address is another one.
    for (const piece of cut ? pieces.slice(0, -1) : pieces) {
      const mailbox = parseMailbox(piece)
      if (mailbox.address === '' && mailbox.name === '') continue
      if (found.length >= ADDRESS_LIMITS.addresses) return { found, cut: true }
      found.push(mailbox)
    }
    if (cut) return { found, cut }
    left -= field.length
  }
  return { found, cut: false }
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
  const at = bare.indexOf('@', 1)
  return at > 0 && at < bare.length - 1 && !/\s/.test(bare)
    ? { name: '', address: bare }
    : { name: displayName(bare), address: '' }
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

const displayName = (text: string): string => decodeHeader(unquoted(text)).trim()

/** Without the quotes of quoted strings and what escapes in them; a string that does not end stays as it is. */
const unquoted = (text: string): string => {
  let plain = ''
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('"', at)
    if (open < 0) return plain + text.slice(at)
    plain += text.slice(at, open)
    let inner = ''
    let i = open + 1
    for (; i < text.length && text.charAt(i) !== '"'; i++) {
      if (text.charAt(i) === '\\') i++
      inner += text.charAt(i)
    }
    if (i >= text.length) return plain + text.slice(open)
    plain += inner
    at = i + 1
  }
  return plain
}

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
