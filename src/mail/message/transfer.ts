/** Content-Transfer-Encodings (RFC 2045 §6), as bytes. */
export type TransferEncoding = 'identity' | 'base64' | 'quoted-printable'

/**
 * null: an encoding that we do not know. Readers look at the first word alone, so that `base64;` and `"base64"` decode
 * there: they do here.
 */
export const transferEncoding = (field: string | undefined): TransferEncoding | null => {
  const word = (field ?? '')
    .replace(/\([^()]*\)/g, '')
    .replace(/^[\s"']+/, '')
    .replace(/[\s;"'][^]*$/, '')
    .toLowerCase()
  if (word === 'base64' || word === 'quoted-printable') return word
  return word === '' || word === '7bit' || word === '8bit' || word === 'binary' ? 'identity' : null
}

export const decodeTransfer = (bytes: Buffer, encoding: TransferEncoding): Buffer => {
  if (encoding === 'identity') return bytes
  if (encoding === 'base64') return fromBase64(bytes.toString('latin1'))
  return fromQuotedPrintable(bytes)
}

export const encodeTransfer = (bytes: Buffer, encoding: TransferEncoding): Buffer => {
  if (encoding === 'identity') return bytes
  if (encoding === 'base64')
    return Buffer.from((bytes.toString('base64').match(/.{1,76}/g) ?? []).map((l) => `${l}\r\n`).join(''), 'latin1')
  return toQuotedPrintable(bytes)
}

/** Padding that completes a group of four ends a stretch, and readers go on with the next; elsewhere it is passed over. */
const fromBase64 = (text: string): Buffer => {
  const padding = text.indexOf('=')
  if (padding < 0 || !/[A-Za-z0-9+/]/.test(text.slice(padding))) return Buffer.from(text, 'base64')
  const out: Buffer[] = []
  let stretch: string[] = []
  let letters = 0
  const end = (): void => {
    out.push(Buffer.from(stretch.join(''), 'base64'))
    stretch = []
    letters = 0
  }
  for (const [, word = '', pads = ''] of text.replace(/[^A-Za-z0-9+/=]+/g, '').matchAll(/([^=]*)(=*)/g)) {
    stretch.push(word)
    letters += word.length
    if (pads !== '' && (letters + pads.length) % 4 === 0) end()
  }
  end()
  return Buffer.concat(out)
}

const hexValue = (c: number | undefined): number => {
  if (c === undefined) return -1
  if (c >= 48 && c <= 57) return c - 48
  if (c >= 65 && c <= 70) return c - 55
  return c >= 97 && c <= 102 ? c - 87 : -1
}

const fromQuotedPrintable = (bytes: Buffer): Buffer => {
  const out = Buffer.allocUnsafe(bytes.length)
  let n = 0
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] ?? 0
    if (c !== 61) {
      out[n++] = c
      continue
    }
    const high = hexValue(bytes[i + 1])
    const low = hexValue(bytes[i + 2])
    if (high >= 0 && low >= 0) {
      out[n++] = high * 16 + low
      i += 2
      continue
    }
    // A soft line break: `=`, blanks that a relay may have added, line end.
    let j = i + 1
    while (bytes[j] === 32 || bytes[j] === 9) j++
    if (bytes[j] === 13) j++
    if (bytes[j] === 10) i = j
    else out[n++] = c
  }
  return out.subarray(0, n)
}

const HEX = '0123456789ABCDEF'

const toQuotedPrintable = (bytes: Buffer): Buffer => {
  const out: string[] = []
  let line = ''
  const push = (token: string): void => {
    if (line.length + token.length > 75) {
      out.push(`${line}=`)
      line = ''
    }
    line += token
  }
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] ?? 0
    const lineEnds = c === 10 || (c === 13 && bytes[i + 1] === 10)
    if (lineEnds) {
      out.push(line)
      line = ''
      if (c === 13) i++
      continue
    }
    const next = bytes[i + 1]
    const last = next === undefined || next === 10 || next === 13
    const literal = (c >= 33 && c <= 126 && c !== 61) || ((c === 32 || c === 9) && !last)
    push(literal ? String.fromCharCode(c) : `=${HEX[c >> 4]}${HEX[c & 15]}`)
  }
  out.push(line)
  return Buffer.from(out.join('\r\n'), 'latin1')
}
