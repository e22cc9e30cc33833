/** Text of a part in its charset, both ways. Unknown charsets read as windows-1252, which gives every byte a character. */
const decoderFor = (charset: string): InstanceType<typeof TextDecoder> => {
  try {
    return new TextDecoder(charset.trim() === '' ? 'utf-8' : charset)
  } catch {
    return new TextDecoder('windows-1252')
  }
}

export const decodeText = (bytes: Uint8Array, charset: string): string => decoderFor(charset).decode(bytes)

const UNICODE = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8'])
const SINGLE_BYTE =
  /^(us-ascii|ascii|iso-?8859-\d+|windows-125\d|cp125\d|koi8-[ru]|macintosh|ibm866|latin1|x-mac-cyrillic)$/i

const tables = new Map<string, ReadonlyMap<string, number>>()

const tableOf = (charset: string): ReadonlyMap<string, number> => {
  const known = tables.get(charset)
  if (known) return known
  const table = new Map<string, number>()
  const ascii = /^(us-)?ascii$/.test(charset)
  const text = decodeText(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    charset,
  )
  for (let i = 0; i < (ascii ? 128 : 256); i++) {
    const c = text[i]
    if (c !== undefined && c !== '\ufffd' && !table.has(c)) table.set(c, i)
  }
  tables.set(charset, table)
  return table
}

/** null when the charset cannot hold the text, or when we cannot write that charset. */
export const encodeText = (text: string, charset: string): Buffer | null => {
  const name = charset.trim().toLowerCase()
  if (UNICODE.has(name)) return Buffer.from(text, 'utf8')
  if (name !== '' && !SINGLE_BYTE.test(name)) return null
  const table = tableOf(name === '' ? 'us-ascii' : name)
  const out = Buffer.allocUnsafe(text.length)
  for (let i = 0; i < text.length; i++) {
    const byte = table.get(text.charAt(i))
    if (byte === undefined) return null
    out[i] = byte
  }
  return out
}
