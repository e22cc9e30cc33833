import { decodeText } from './charset.ts'

// RFC 2047 §2; the language suffix is RFC 2231 §5.
const WORD = /=\?([^?*\s]{1,64})(?:\*[^?\s]{0,32})?\?([bBqQ])\?([^?\r\n]*)\?=/g
const GAP = /(\?=)[ \t]+(?==\?[^?\s]{1,96}\?[bBqQ]\?)/g

const qBytes = (text: string): Buffer =>
  Buffer.from(
    text
      .replaceAll('_', ' ')
      .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )

/** A field body as a reader sees it: unfolded, encoded words decoded, raw 8-bit text read as UTF-8 where it is UTF-8. */
export const decodeHeader = (raw: string): string => {
  const unfolded = raw
    .replace(/\r?\n(?=[ \t])/g, '')
    .replace(/[\r\n]+/g, ' ')
    .trim()
  const text = /[\u0080-\u00ff]/.test(unfolded) ? eightBit(unfolded) : unfolded
  if (!text.includes('=?')) return text
  return text.replace(GAP, '$1').replace(WORD, (_, charset: string, how: string, content: string) => {
    const bytes = how.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : qBytes(content)
    return decodeText(bytes, charset)
  })
}

/** Header text is kept as latin1 (one character a byte); RFC 6532 mail carries UTF-8. */
const eightBit = (latin1: string): string => {
  const bytes = Buffer.from(latin1, 'latin1')
  const text = bytes.toString('utf8')
  return text.includes('\ufffd') ? latin1 : text
}

const PLAIN = /^[\x20-\x7e]*$/
const WORD_BYTES = 42

/**
 * A field body that cannot leave its field: control characters become blanks, text outside ASCII becomes encoded
 * words, long lines are folded at blanks (RFC 5322 §2.2.3, RFC 2047 §2: 75 characters a word).
 */
export const encodeHeader = (name: string, value: string): string => {
  const safe = value.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim()
  if (PLAIN.test(safe) && !safe.includes('=?')) return fold(name, safe)
  const words: string[] = []
  let chunk = ''
  let size = 0
  for (const c of safe.replace(/\p{Surrogate}/gu, '\ufffd')) {
    const n = Buffer.byteLength(c)
    if (size + n > WORD_BYTES) {
      words.push(chunk)
      chunk = ''
      size = 0
    }
    chunk += c
    size += n
  }
  words.push(chunk)
  return words.map((w) => `=?UTF-8?B?${Buffer.from(w).toString('base64')}?=`).join('\r\n ')
}

const FOLD_AT = 76
const HARD_LIMIT = 990

const fold = (name: string, value: string): string => {
  const lines: string[] = []
  let line = ''
  let room = FOLD_AT - name.length - 2
  for (const word of value.split(/(?<=\S)(?= )/)) {
    if (line.length + word.length > room && line !== '') {
      lines.push(line)
      line = ''
      room = FOLD_AT
    }
    line += word
  }
  lines.push(line)
  // A word without blanks may be longer than any line may be (RFC 5322 §2.1.1): only then it is cut.
  return lines
    .flatMap((l) => l.match(new RegExp(`.{1,${HARD_LIMIT}}`, 'g')) ?? [''])
    .map((l, i) => (i > 0 && !l.startsWith(' ') ? ` ${l}` : l))
    .join('\r\n')
}
