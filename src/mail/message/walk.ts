import { parseParameterized } from './content-type.ts'
import type { ParameterizedValue } from './content-type.ts'
import { endOfLine, readHeaderBlock, trimLineEnd } from './header-block.ts'
import type { HeaderBlock, RawField } from './header-block.ts'
import type { ScanLimits } from './limits.ts'
import { transferEncoding } from './transfer.ts'
import type { TransferEncoding } from './transfer.ts'

/** A part of the MIME tree by its offsets in the message: nothing is copied, nothing is decoded. */
export interface MimePart {
  /** `1`, `1.2`; the root of a message with one part is `1`. */
  readonly path: string
  readonly header: HeaderBlock
  readonly headerStart: number
  readonly bodyStart: number
  /** Before the line end that belongs to the boundary line. */
  readonly bodyEnd: number
  readonly type: ParameterizedValue
  readonly disposition: ParameterizedValue
  readonly encoding: TransferEncoding | null
  readonly children: readonly MimePart[]
}

export interface MimeTree {
  readonly root: MimePart
  /** Why the tree is incomplete, null when it is whole. */
  readonly problem: string | null
  /** Why other readers may see another message; the tree is whole all the same. */
  readonly doubt: string | null
}

/** Bytes behind a line that is no field, in which fields are looked for. */
const MAX_HIDDEN = 16_384

type WalkLimits = Pick<ScanLimits, 'headers' | 'headerBytes' | 'parts' | 'depth'>

export const fieldOf = (fields: readonly RawField[], name: string): RawField | undefined =>
  fields.find((f) => f.name.toLowerCase() === name)

/** The MIME tree of a message (RFC 2046 §5.1). Time is linear in the size times the depth limit. */
export const walk = (bytes: Buffer, limits: WalkLimits): MimeTree => {
  let parts = 0
  let problem: string | null = null
  let doubt: string | null = null

  const part = (start: number, stop: number, path: string, depth: number): MimePart => {
    parts++
    const header = readHeaderBlock(bytes, start, stop, limits)
    if (header.cut) problem ??= 'too many header fields'
    const field = fieldOf(header.fields, 'content-type')
    const given = parseParameterized(field ? field.raw : 'text/plain')
    const type = { ...given, value: mediaType(given.value) }
    // RFC 2046 §5.1.1: it does not end in a blank, and blanks may stand behind it.
    const boundary = type.parameters.get('boundary')?.trimEnd()
    doubt ??= doubtIn(bytes, header, stop)
    const base = {
      header,
      headerStart: start,
      bodyStart: header.bodyStart,
      bodyEnd: stop,
      type,
      disposition: parseParameterized(fieldOf(header.fields, 'content-disposition')?.raw ?? ''),
      encoding: transferEncoding(fieldOf(header.fields, 'content-transfer-encoding')?.raw),
    }
    const forwarded = type.value === 'message/rfc822' && base.encoding === 'identity'
    const leaf = { ...base, path: path === '' ? '1' : path, children: [] }
    const multipart = type.value.startsWith('multipart/')
    if (!forwarded && !multipart) return leaf
    // Nothing divides it: readers show its text.
    const within = multipart ? sections(bytes, header.bodyStart, stop, boundary ?? '') : []
    if (multipart && within.length === 0) return { ...leaf, type: { ...type, value: 'text/plain' } }
    if (depth >= limits.depth) {
      problem ??= 'parts are nested too deep'
      return { ...base, path, children: [] }
    }
    if (forwarded)
      return { ...base, path, children: [part(header.bodyStart, stop, path === '' ? '1' : `${path}.1`, depth + 1)] }
    const children: MimePart[] = []
    for (const [from, to] of within) {
      if (parts >= limits.parts) {
        problem ??= 'too many parts'
        break
      }
      children.push(
        part(from, to, path === '' ? `${children.length + 1}` : `${path}.${children.length + 1}`, depth + 1),
      )
    }
    return { ...base, path, children }
  }

  const root = part(0, bytes.length, '', 0)
  return { root, problem, doubt }
}

/** What is no media type is text (RFC 2045 §5.2); quotes and blanks in it are passed over, as readers do. */
const mediaType = (value: string): string => {
  const plain = value.replace(/["'\s]/g, '')
  return /^[^\s/]+\/[^\s/]*$/.test(plain) ? plain : 'text/plain'
}

const DECIDING = /^content-(?:type|transfer-encoding)$/i
const HIDDEN = /^content-(?:type|transfer-encoding)[ \t]*:/i

/** Why another reader may take the part for something else: fields that contradict each other, or behind a line that is none. */
const doubtIn = (bytes: Buffer, header: HeaderBlock, stop: number): string | null => {
  const seen = new Map<string, string>()
  for (const { name, raw } of header.fields) {
    if (!DECIDING.test(name)) continue
    const other = seen.get(name.toLowerCase())
    if (other !== undefined && other.trim() !== raw.trim()) return `two fields ${name} that differ`
    seen.set(name.toLowerCase(), raw)
  }
  if (header.end !== header.bodyStart || header.cut) return null
  for (let at = header.end; at < stop && at - header.end < MAX_HIDDEN;) {
    const end = endOfLine(bytes, at, stop)
    const line = bytes.toString('latin1', at, Math.min(trimLineEnd(bytes, at, end), at + 80))
    if (line === '') return null
    if (HIDDEN.test(line)) return 'a line in the header is no field'
    at = end
  }
  return null
}

/** Start and end of what stands between the boundary lines. A missing close delimiter ends with the enclosing part. */
const sections = (
  bytes: Buffer,
  start: number,
  stop: number,
  boundary: string,
): readonly (readonly [number, number])[] => {
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  const found: [number, number][] = []
  let open = -1
  let at = bytes.indexOf(mark, start)
  while (at >= 0 && at < stop) {
    const end = endOfLine(bytes, at, stop)
    const rest = bytes.toString(
      'latin1',
      at + mark.length,
      Math.min(trimLineEnd(bytes, at, end), at + mark.length + 80),
    )
    const atLineStart = at === start || bytes[at - 1] === 10
    // A boundary that is the prefix of another one is not that other one.
    if (atLineStart && /^(--)?[ \t]*$/.test(rest)) {
      if (open >= 0) found.push([open, Math.max(open, trimLineEnd(bytes, open, at))])
      open = rest.startsWith('--') ? -1 : end
      if (open < 0) return found
    }
    at = bytes.indexOf(mark, end)
  }
  if (open >= 0) found.push([open, stop])
  return found
}

/** Leaves in order. */
export const leaves = (part: MimePart): readonly MimePart[] =>
  part.children.length === 0 ? [part] : part.children.flatMap(leaves)

export const textKind = (part: MimePart): 'text' | 'html' | null => {
  if (part.type.value === 'text/plain') return 'text'
  return part.type.value === 'text/html' ? 'html' : null
}

/** A text part that a reader shows as body (not an attachment). */
export const bodyKind = (part: MimePart): 'text' | 'html' | null =>
  part.disposition.value === 'attachment' ? null : textKind(part)

/** A line that ends in a blank goes on without it (RFC 3676 §4.2). */
export const isDelsp = ({ type: { parameters } }: MimePart): boolean =>
  /^flowed$/i.test(parameters.get('format') ?? '') && /^yes$/i.test(parameters.get('delsp') ?? '')

/** S/MIME or PGP signed: any change would break the signature. */
export const isSigned = (root: MimePart): boolean =>
  leaves(root).some(
    (p) =>
      p.type.value === 'application/pkcs7-signature' || p.type.value === 'application/pgp-signature' || isOpaque(p),
  ) || contains(root, 'multipart/signed')

const isOpaque = (p: MimePart): boolean =>
  /^application\/(x-)?pkcs7-mime$/.test(p.type.value) && p.type.parameters.get('smime-type') !== 'enveloped-data'

const contains = (part: MimePart, type: string): boolean =>
  part.type.value === type || part.children.some((c) => contains(c, type))
