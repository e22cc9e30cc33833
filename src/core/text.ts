/**
 * Escaping of everything that may come from a message before it reaches a log line, a terminal or a header.
 * logs.md §3 rule 6: no byte below 0x20 but the line end, and no 0x7f-0x9f, ever gets out.
 */

// C0, DEL, C1, the Unicode line separators, the bidirectional overrides that reorder a terminal line, and what takes no
// room on it. The joiners U+200C and U+200D stay: names are written with them.
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\u200b\u2060-\u2064\u180e]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Most text: nothing to look for. */
const PLAIN = /^[\u0020-\u007e]*$/

const escapeChar = (c: string): string => {
  const code = c.charCodeAt(0)
  if (c === '\n') return '\\n'
  if (c === '\r') return '\\r'
  if (c === '\t') return '\\t'
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** One line of printable text: control, bidirectional and separator characters become `\xNN`/`\uNNNN`, CR and LF `\r` `\n`. */
export const printable = (text: string): string => (PLAIN.test(text) ? text : text.replace(UNSAFE, escapeChar))

/** `printable`, cut to `max` characters with `...` at the end. */
export const printableCut = (text: string, max: number): string => {
  const safe = printable(text.length > max * 2 ? text.slice(0, max * 2) : text)
  return safe.length > max ? `${safe.slice(0, max - 3)}...` : safe
}

const thousands = /\B(?=(\d{3})+(?!\d))/g
/** 62049822 → "62,049,822", as the status command prints counters. */
export const withThousands = (n: number): string => String(Math.trunc(n)).replace(thousands, ',')
