import { createHash } from 'node:crypto'
import type { FoundUrl } from '../../intel/url/found.ts'
import type { BodyEdit, Edit, HeaderEdit } from '../pipeline/stage.ts'
import { encodeText } from './charset.ts'
import { editFields } from './edit-headers.ts'
import { bodyEdits, isHeaderEdit } from './edit-kinds.ts'
import { applyStamp, charsetHolds, stampPart } from './edit-stamp.ts'
import type { Stamp } from './edit-stamp.ts'
import { holdsUrl, rewriteUrls } from './edit-urls.ts'
import type { FindSpellings, UrlRewrite } from './edit-urls.ts'
import { decodeHeader } from './encoded-words.ts'
import type { ScanLimits } from './limits.ts'
import { bytesOfPart, decodePart, textOfPart } from './part-text.ts'
import type { UrlExtractor } from './parse.ts'
import type { RawField } from './header-block.ts'
import type { HeaderField } from './parsed.ts'
import { encodeTransfer } from './transfer.ts'
import type { TransferEncoding } from './transfer.ts'
import { bodyKind, fieldOf, isDelsp, isSigned, leaves, walk } from './walk.ts'
import type { MimePart } from './walk.ts'

export interface EditTools {
  readonly limits: ScanLimits
  readonly extract: UrlExtractor
}

/**
 * The message with its edits. No edit, or edits that change nothing: the same bytes. Otherwise only touched fields and
 * touched parts are written anew, everything between stays byte for byte; nothing is composed through a parser.
 */
export const applyEdits = (raw: Buffer, edits: readonly Edit[], tools: EditTools): Buffer => {
  let bytes = raw
  for (const edit of bodyEdits(edits))
    bytes = edit.kind === 'body.stamp' ? stampMessage(bytes, edit, tools) : rewriteMessage(bytes, edit, tools)
  return editHeader(bytes, edits.filter(isHeaderEdit), tools.limits)
}

interface WrittenField extends HeaderField {
  readonly bytes: Buffer
}

const CRLF = Buffer.from('\r\n')
const endsLine = (bytes: Buffer): boolean => bytes.length === 0 || bytes[bytes.length - 1] === 10

/** The last line of a message may lack its end. */
const wholeLine = (bytes: Buffer): Buffer => (endsLine(bytes) ? bytes : Buffer.concat([bytes, CRLF]))

const fieldBytes = (f: HeaderField): Buffer => {
  if (!('bytes' in f)) return Buffer.from(`${f.name}:${f.raw}\r\n`, 'latin1')
  return wholeLine((f as WrittenField).bytes)
}

const editHeader = (raw: Buffer, edits: readonly HeaderEdit[], limits: ScanLimits): Buffer => {
  if (edits.length === 0) return raw
  const { header } = walk(raw, limits).root
  const before: readonly WrittenField[] = header.fields.map((f) => ({
    name: f.name,
    raw: f.raw,
    value: decodeHeader(f.raw),
    bytes: raw.subarray(f.start, f.end),
  }))
  const after = edits.reduce<readonly HeaderField[]>((fields, edit) => editFields(fields, edit), before)
  if (after.length === before.length && after.every((f, i) => f === before[i])) return raw
  const rest = raw.subarray(header.end)
  // A header that ends without an empty line (no body at all) would swallow what follows; one that is longer than we
  // read goes on.
  const gap = header.end === header.bodyStart && rest.length > 0 && !header.cut ? [CRLF] : []
  return Buffer.concat([...after.map(fieldBytes), ...gap, rest])
}

interface Change {
  readonly start: number
  readonly end: number
  readonly bytes: Buffer
}

const splice = (raw: Buffer, changes: readonly Change[]): Buffer => {
  const out: Buffer[] = []
  let at = 0
  for (const c of [...changes].sort((a, b) => a.start - b.start)) {
    out.push(raw.subarray(at, c.start), c.bytes)
    at = c.end
  }
  return Buffer.concat([...out, raw.subarray(at)])
}

/** A text part with new content: same charset where it holds the text, else UTF-8 with its header fields rewritten. */
const rewritePart = (raw: Buffer, part: MimePart, content: string): readonly Change[] => {
  const same = encodeText(content, part.type.parameters.get('charset') ?? 'us-ascii')
  return writePart(raw, part, same ?? Buffer.from(content, 'utf8'), same !== null)
}

/** A text part with new bytes, before their transfer encoding; `same`: they are in the charset that the header names. */
const writePart = (raw: Buffer, part: MimePart, bytes: Buffer, same: boolean): readonly Change[] => {
  const encoding = part.encoding ?? 'identity'
  const eightBit = bytes.some((b) => b > 127)
  const fits: TransferEncoding =
    encoding === 'identity' && (eightBit || longLine(bytes))
      ? eightBit && same
        ? 'identity'
        : 'quoted-printable'
      : encoding
  const body: Change = { start: part.bodyStart, end: part.bodyEnd, bytes: encodeTransfer(bytes, fits) }
  const fields: Change[] = []
  if (!same) fields.push(setField(part, 'Content-Type', inUtf8(part)))
  if (fits !== encoding) fields.push(setField(part, 'Content-Transfer-Encoding', fits))
  // Without it a reader takes the message for one of before MIME, and shows the encoding (RFC 2045 §4).
  if (fields.length > 0 && part.headerStart === 0 && fieldOf(part.header.fields, 'mime-version') === undefined)
    fields.push(setField(part, 'MIME-Version', '1.0'))
  // A part without the empty line that ends its header needs one now, and a whole line before it.
  if (part.header.end === part.bodyStart) fields.push({ start: part.bodyStart, end: part.bodyStart, bytes: CRLF })
  if (fields.some((f) => f.start === part.bodyStart) && !endsLine(raw.subarray(part.headerStart, part.header.end)))
    fields.unshift({ start: part.bodyStart, end: part.bodyStart, bytes: CRLF })
  return [...fields, body]
}

/** The part's Content-Type with another charset; what else it says (format=flowed) stays true. */
const inUtf8 = ({ type: { value, parameters } }: MimePart): string =>
  [...parameters]
    .filter(([name, text]) => name !== 'charset' && /^[!-~]+$/.test(name) && /^[ !#-[\]-~]{1,200}$/.test(text))
    .reduce((field, [name, text]) => `${field};\r\n ${name}="${text}"`, `${value}; charset=utf-8`)

/** RFC 5322 §2.1.1: 998 octets a line. */
const longLine = (bytes: Buffer): boolean => {
  let from = 0
  while (bytes.length - from > 998) {
    const lf = bytes.indexOf(10, from)
    if (lf < 0 || lf - from > 998) return true
    from = lf + 1
  }
  return false
}

const setField = (part: MimePart, name: string, value: string): Change => {
  const old = part.header.fields.find((f) => f.name.toLowerCase() === name.toLowerCase())
  const at = old?.start ?? part.header.end
  return { start: at, end: old?.end ?? at, bytes: Buffer.from(`${name}: ${value}\r\n`, 'latin1') }
}

/**
 * Of a part that is not in the charset that it claims: the URLs rewritten and every other byte kept. null when there is
 * nothing to keep, or a URL would stay: it is in the part only as the charset reads it.
 */
const byBytes = (
  raw: Buffer,
  part: MimePart,
  kind: 'text' | 'html',
  rewrite: UrlRewrite,
  find: FindSpellings,
): Buffer | null => {
  const bytes = bytesOfPart(raw, part)
  const changed = rewriteUrls(kind, bytes.toString('latin1'), rewrite, find)
  if (/[^\x00-\xff]/.test(changed)) return null
  const out = Buffer.from(changed, 'latin1')
  return out.equals(bytes) || holdsUrl(kind, decodePart(out, part), rewrite, find) ? null : out
}

const rewriteMessage = (raw: Buffer, edit: Extract<BodyEdit, { kind: 'url.rewrite' }>, tools: EditTools): Buffer => {
  const { root } = walk(raw, tools.limits)
  const changes = leaves(root).flatMap((part) => {
    const kind = bodyKind(part)
    // In an encoding that we do not know a URL was found as it stands there, as some readers show it: it goes there.
    if (kind === null) return []
    const content = textOfPart(raw, part)
    const find = (text: string): readonly string[] =>
      tools
        .extract({ kind, content: text, delsp: isDelsp(part) }, tools.limits.urls * 10)
        .filter((u: FoundUrl) => u.hidden !== 'defanged')
        .map((u) => u.raw)
    const kept = content.includes('\ufffd') ? byBytes(raw, part, kind, edit, find) : null
    if (kept) return writePart(raw, part, kept, true)
    const changed = rewriteUrls(kind, content, edit, find)
    return changed === content ? [] : rewritePart(raw, part, changed)
  })
  return changes.length === 0 ? raw : splice(raw, changes)
}

/** The parts that a reader shows as body: text leaves that are not inside a forwarded message. */
const bodyParts = (part: MimePart): readonly MimePart[] => {
  if (part.type.value === 'message/rfc822') return []
  if (part.children.length === 0) return bodyKind(part) === null || part.encoding === null ? [] : [part]
  if (part.type.value === 'multipart/alternative') return part.children.flatMap(bodyParts)
  const first = part.children.find((c) => bodyParts(c).length > 0)
  return first ? bodyParts(first) : []
}

const stampMessage = (raw: Buffer, stamp: Stamp, tools: EditTools): Buffer => {
  const { root } = walk(raw, tools.limits)
  const parts = bodyParts(root)
  const holds = parts.every(
    (p) => charsetHolds(p, bodyKind(p) ?? 'text', stamp) && !textOfPart(raw, p).includes('\ufffd'),
  )
  // Signed content stays whole, a charset that lacks a character is never changed under the sender's text, and text that is
  // in another charset than it claims is not read as what it is not.
  if (parts.length === 0 || !holds || isSigned(root)) return wrap(raw, root, stamp)
  return splice(
    raw,
    parts.flatMap((p) => rewritePart(raw, p, applyStamp(bodyKind(p) ?? 'text', textOfPart(raw, p), stamp))),
  )
}

const isContentField = (name: string): boolean => /^content-/i.test(name)

/** The whole content becomes one part of a multipart/mixed, byte for byte, beside a part with the stamp. */
const wrap = (raw: Buffer, root: MimePart, stamp: Stamp): Buffer => {
  const { fields, end } = root.header
  const boundary = `lychgate-${createHash('sha256').update(raw).digest('hex').slice(0, 32)}`
  const line = (f: RawField): Buffer => wholeLine(raw.subarray(f.start, f.end))
  const outer = fields.filter((f) => !isContentField(f.name)).map(line)
  const inner = fields.filter((f) => isContentField(f.name)).map(line)
  const hasVersion = fields.some((f) => f.name.toLowerCase() === 'mime-version')
  const original = Buffer.concat([...inner, root.bodyStart === end ? CRLF : raw.subarray(end, end), raw.subarray(end)])
  const own = Buffer.from(stampPart(stamp))
  const ordered = stamp.where === 'heading' ? [own, original] : [original, own]
  return Buffer.concat([
    ...outer,
    Buffer.from(
      `${hasVersion ? '' : 'MIME-Version: 1.0\r\n'}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`,
    ),
    ...ordered.flatMap((part) => [Buffer.from(`--${boundary}\r\n`), part, Buffer.from('\r\n')]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
}
