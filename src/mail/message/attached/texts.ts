import { gunzipSync } from 'node:zlib'
import { errorText } from '../../../core/errors.ts'
import { decodeText } from '../charset.ts'
import { decodeHeader } from '../encoded-words.ts'
import type { ScanLimits } from '../limits.ts'
import { decodeTransfer } from '../transfer.ts'
import { bodyKind, fieldOf, leaves, walk } from '../walk.ts'
import type { MimePart, MimeTree } from '../walk.ts'
import { calendarTexts } from './calendar.ts'
import { fileKind, isOpaqueName } from './kinds.ts'
import { officeText, relationTargets } from './office.ts'
import { TooMuch, zipMembers } from './zip.ts'

/** What of an attachment can be searched for URLs. */
export interface AttachedText {
  readonly kind: 'text' | 'html'
  readonly content: string
  /** Name of the attachment, what it holds after `/`. */
  readonly file: string
}

interface AttachedTexts {
  readonly texts: readonly AttachedText[]
  /** Why something was left out; null = all was read. */
  readonly problem: string | null
}

interface File {
  readonly bytes: Buffer
  readonly name: string
  readonly type: string
  readonly charset: string
  readonly depth: number
}

const UNNAMED = 'attachment'
const MAX_NAME = 256

const nameOf = (part: MimePart): string =>
  decodeHeader(part.disposition.parameters.get('filename') ?? part.type.parameters.get('name') ?? '')
    .trim()
    .slice(0, MAX_NAME) || (part.type.value === 'message/rfc822' ? 'message' : UNNAMED)

const charsetOf = (bytes: Buffer, declared: string | undefined): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return declared ?? 'utf-8'
}

/**
 * The readable texts of a message's attachments, archives and forwarded mail opened to a depth. Everything that grows
 * has a limit: bytes unpacked, files, depth, text; what is left out is said.
 */
export const attachedTexts = async (raw: Buffer, tree: MimeTree, limits: ScanLimits): Promise<AttachedTexts> => {
  const texts: AttachedText[] = []
  let problem: string | null = null
  let bytesLeft = limits.unpackedBytes
  let filesLeft = limits.unpackedFiles
  let textLeft = limits.text

  const put = (kind: 'text' | 'html', content: string, file: string): void => {
    const kept = content.slice(0, Math.min(textLeft, limits.textPerPart))
    if (kept.length < content.length) problem ??= 'the text of an attachment is too large'
    textLeft -= kept.length
    if (kept !== '') texts.push({ kind, content: kept, file })
  }

  const readMessage = async ({ bytes, name, depth }: File): Promise<void> => {
    const inner = walk(bytes, limits)
    problem ??= inner.problem
    put('text', decodeHeader(fieldOf(inner.root.header.fields, 'subject')?.raw ?? ''), name)
    for (const part of leaves(inner.root)) await readPart(bytes, part, `${name}/`, depth + 1)
  }
  const readZip = async ({ bytes, name, depth }: File): Promise<void> => {
    for await (const member of zipMembers(bytes)) {
      if (filesLeft-- <= 0) {
        problem ??= 'an archive has too many files'
        return
      }
      if (isOpaqueName(member.name)) continue
      const content = await member.read(bytesLeft)
      if (content === null) continue
      bytesLeft -= content.length
      await read({ bytes: content, name: `${name}/${member.name}`, type: '', charset: 'utf-8', depth: depth + 1 })
    }
  }
  const readGzip = async ({ bytes, name, depth }: File): Promise<void> => {
    const content = gunzip(bytes, bytesLeft)
    bytesLeft -= content.length
    await read({ bytes: content, name: name.replace(/\.t?gz$/i, ''), type: '', charset: 'utf-8', depth: depth + 1 })
  }

  const read = async (file: File): Promise<void> => {
    const kind = fileKind(file.bytes, file.name, file.type)
    if (kind === null) return
    if (file.depth > limits.archiveDepth) {
      problem ??= 'attachments are nested too deep'
      return
    }
    if (kind === 'message') return readMessage(file)
    if (kind === 'zip') return readZip(file)
    if (kind === 'gzip') return readGzip(file)
    const content = decodeText(file.bytes, charsetOf(file.bytes, file.charset))
    if (kind === 'calendar') {
      const { text, html } = calendarTexts(content)
      put('text', text, file.name)
      put('html', html, file.name)
    } else if (kind === 'relations') put('text', relationTargets(content), file.name)
    else if (kind === 'office') put('text', officeText(content), file.name)
    else put(kind, content, file.name)
  }

  const readPart = async (bytes: Buffer, part: MimePart, before: string, depth: number): Promise<void> => {
    if (part.encoding === null) return
    await read({
      bytes: decodeTransfer(bytes.subarray(part.bodyStart, part.bodyEnd), part.encoding),
      name: before + (before !== '' && bodyKind(part) !== null ? 'body' : nameOf(part)),
      type: part.type.value,
      charset: part.type.parameters.get('charset') ?? 'utf-8',
      depth,
    })
  }

  for (const part of leaves(tree.root)) {
    if (bodyKind(part) !== null) continue
    try {
      await readPart(raw, part, '', 0)
    } catch (error) {
      // A broken archive is no reason to hold the message; one that unpacks to too much was not read to its end.
      if (error instanceof TooMuch) problem ??= errorText(error)
    }
  }
  return { texts, problem }
}

const gunzip = (bytes: Buffer, maxOutputLength: number): Buffer => {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, maxOutputLength) })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new TooMuch('an archive unpacks to too much')
    throw error
  }
}
