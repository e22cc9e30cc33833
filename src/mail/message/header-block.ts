/** The header of a message or of a part, byte for byte, so that what is not edited can be written back unchanged. */
export interface RawField {
  readonly name: string
  /** After the colon, folds kept, without the line end of the last line. */
  readonly raw: string
  /** Offsets of the whole field with its line end. */
  readonly start: number
  readonly end: number
}

export interface HeaderBlock {
  readonly fields: readonly RawField[]
  /** Where the empty line begins (or the end, when there is none). */
  readonly end: number
  readonly bodyStart: number
  /** More fields or bytes (folds and line ends counted) than the limit: what came before is there, the rest was not read. */
  readonly cut: boolean
}

const LF = 10
const CR = 13
const BLANK = 32
const TAB = 9
const FIELD_NAME = /^([!-9;-~]+)[ \t]*:/

/**
 * Reads fields from `start` up to the first empty line (RFC 5322 §2.1). A line that is no field and no fold ends the
 * header as well: what follows is body, as every reader of mail treats it.
 */
export const readHeaderBlock = (
  bytes: Buffer,
  start: number,
  stop: number,
  limits: { readonly headers: number; readonly headerBytes: number },
): HeaderBlock => {
  const fields: RawField[] = []
  let at = start
  while (at < stop) {
    const lineEnd = endOfLine(bytes, at, stop)
    if (isEmptyLine(bytes, at, lineEnd)) return { fields, end: at, bodyStart: lineEnd, cut: false }
    if (fields.length >= limits.headers) return { fields, end: at, bodyStart: at, cut: true }
    const longest = start + limits.headerBytes
    let end = lineEnd
    while (end <= longest && end < stop && (bytes[end] === BLANK || bytes[end] === TAB))
      end = endOfLine(bytes, end, stop)
    const text = bytes.toString('latin1', at, Math.min(trimLineEnd(bytes, at, end), longest))
    const name = FIELD_NAME.exec(text)
    if (!name) return { fields, end: at, bodyStart: at, cut: false }
    // A field counts with its folds: where it goes beyond the limit it is not taken, not even its beginning.
    if (end > longest) return { fields, end: at, bodyStart: at, cut: true }
    fields.push({ name: name[1] ?? '', raw: text.slice(name[0].length), start: at, end })
    at = end
  }
  return { fields, end: at, bodyStart: at, cut: false }
}

/** Offset after the line feed of the line that holds `at`. */
export const endOfLine = (bytes: Buffer, at: number, stop: number): number => {
  const lf = bytes.indexOf(LF, at)
  return lf < 0 || lf >= stop ? stop : lf + 1
}

const isEmptyLine = (bytes: Buffer, at: number, end: number): boolean =>
  (end - at === 1 && bytes[at] === LF) || (end - at === 2 && bytes[at] === CR && bytes[at + 1] === LF)

/** `end` moved back before a line end that stands there. */
export const trimLineEnd = (bytes: Buffer, at: number, end: number): number => {
  let e = end
  if (e > at && bytes[e - 1] === LF) e--
  if (e > at && bytes[e - 1] === CR) e--
  return e
}
