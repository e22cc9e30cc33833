import { decodeText } from './charset.ts'

/** `Content-Type` or `Content-Disposition`: value and parameters, names in lower case. */
export interface ParameterizedValue {
  readonly value: string
  readonly parameters: ReadonlyMap<string, string>
}

const PARAMETER = /;[ \t]*([^\s=;"]{1,128})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))/gs

/** RFC 2045 §5.1 with the continuations and charsets of RFC 2231 §3–4. Reads what is broken as well as it can. */
export const parseParameterized = (raw: string): ParameterizedValue => {
  const text = raw.replace(/\([^()]*\)/g, '').replace(/\r?\n/g, '')
  const semicolon = text.indexOf(';')
  const value = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase()
  const plain = new Map<string, string>()
  const pieces = new Map<string, { readonly index: number; readonly text: string; readonly encoded: boolean }[]>()
  for (const m of (semicolon < 0 ? '' : text.slice(semicolon)).matchAll(PARAMETER)) {
    const name = (m[1] ?? '').toLowerCase()
    const content = m[2] === undefined ? (m[3] ?? '').trim() : m[2].replace(/\\(.)/g, '$1')
    const split = /^([^*]+)(?:\*(\d{1,3}))?(\*?)$/.exec(name)
    if (!split || (split[2] === undefined && split[3] === '')) {
      if (!plain.has(name)) plain.set(name, content)
      continue
    }
    const base = split[1] ?? name
    const list = pieces.get(base) ?? []
    list.push({ index: Number(split[2] ?? 0), text: content, encoded: split[3] === '*' })
    pieces.set(base, list)
  }
  for (const [name, list] of pieces) plain.set(name, joinPieces(list))
  return { value, parameters: plain }
}

const joinPieces = (list: { readonly index: number; readonly text: string; readonly encoded: boolean }[]): string => {
  let charset = 'utf-8'
  const bytes = list
    .sort((a, b) => a.index - b.index)
    .map((piece, i) => {
      if (!piece.encoded) return Buffer.from(piece.text, 'latin1')
      const quoted = i === 0 ? /^([^']*)'[^']*'(.*)$/s.exec(piece.text) : null
      if (quoted?.[1]) charset = quoted[1]
      const body = (quoted?.[2] ?? piece.text).replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
      return Buffer.from(body, 'latin1')
    })
  return decodeText(Buffer.concat(bytes), charset)
}
