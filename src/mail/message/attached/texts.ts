import { gunzipSync } from 'node:zlib'
import { errorText } from '../../../core/errors.ts'
import { decodeText } from '../charset.ts'
import { decodeHeader } from '../encoded-words.ts'
import type { ScanLimits } from '../limits.ts'
import { decodeTransfer } from '../transfer.ts'
import { bodyKind, fieldOf, leaves, walk } from '../walk.ts'
import type { MimePart, MimeTree } from '../walk.ts'
import { archiveMembers } from './archive.ts'
import { barcodeTexts } from './barcodes.ts'
import { readableRuns } from './binary.ts'
import { TooMuch, attachmentBudget } from './budget.ts'
import type { ArchiveMember, AttachedFile, AttachedText } from './budget.ts'
import { calendarTexts } from './calendar.ts'
import { fileKind, isOpaqueName } from './kinds.ts'
import type { FileKind, TextKind } from './kinds.ts'
import { officeText, relationTargets } from './office.ts'
import { pdfPages } from './pdf.ts'
import { pictureSize } from './picture-size.ts'
import { zipMembers } from './zip.ts'

interface AttachedTexts {
  readonly texts: readonly AttachedText[]
  /** Why something was left out; null = all was read. */
  readonly problem: string | null
}

const UNNAMED = 'attachment'
const MAX_NAME = 256

const nameOf = (part: MimePart): string =>
  decodeHeader(part.disposition.parameters.get('filename') ?? part.type.parameters.get('name') ?? '')
    .trim()
    .slice(0, MAX_NAME) || (part.type.value === 'message/rfc822' ? 'message' : UNNAMED)

const charsetOf = (bytes: Buffer, declared: string): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return declared
}

/**
 * The readable texts of a message's attachments: archives, documents, forwarded mail and pictures opened to a depth.
 * Everything that grows has a limit: bytes unpacked, files, depth, pages, pixels, text; what is left out is said.
 */
export const attachedTexts = async (raw: Buffer, tree: MimeTree, limits: ScanLimits): Promise<AttachedTexts> => {
  const budget = attachmentBudget(limits)

  const readMessage = async ({ bytes, name, depth }: AttachedFile): Promise<void> => {
    const inner = walk(bytes, limits)
    budget.problem ??= inner.problem
    budget.put('text', decodeHeader(fieldOf(inner.root.header.fields, 'subject')?.raw ?? ''), name)
    for (const part of leaves(inner.root)) await readPart(bytes, part, `${name}/`, depth + 1)
  }
  const readMembers = async (members: AsyncGenerator<ArchiveMember>, file: AttachedFile): Promise<void> => {
    for await (const member of members) {
      if (budget.unpackedFiles-- <= 0) {
        budget.problem ??= 'an archive has too many files'
        return
      }
      if (isOpaqueName(member.name)) continue
      const content = await member.read(budget.unpackedBytes)
      if (content === null) continue
      budget.unpackedBytes -= content.length
      await read(inside(file, content, `${file.name}/${member.name}`))
    }
  }
  const readGzip = async (file: AttachedFile): Promise<void> => {
    const content = gunzip(file.bytes, budget.unpackedBytes)
    budget.unpackedBytes -= content.length
    await read(inside(file, content, file.name.replace(/\.t?gz$/i, '')))
  }
  const readPdf = async ({ bytes, name }: AttachedFile): Promise<void> => {
    // Actions outside the pages, and what is left of a file that pdf.js refuses.
    budget.put('text', uriActions(bytes), name)
    let n = 0
    for await (const page of pdfPages(bytes, budget)) {
      n += 1
      budget.put('text', page.text, `${name}/page ${n}`)
      budget.put('text', page.codes.join('\n'), `${name}/page ${n}/QR code`)
    }
  }
  const readPicture = async ({ bytes, name }: AttachedFile): Promise<void> => {
    const size = pictureSize(bytes)
    if (size === null) return
    if (budget.images-- <= 0) budget.problem ??= 'there are too many pictures'
    else if (size.width * size.height > budget.pixels) budget.problem ??= 'a picture is too large'
    else budget.put('text', (await barcodeTexts(bytes)).join('\n'), `${name}/QR code`)
  }
  const readText = (file: AttachedFile, kind: TextKind): void => {
    const content = decodeText(file.bytes, charsetOf(file.bytes, file.charset))
    if (kind === 'calendar') {
      const { text, html } = calendarTexts(content)
      budget.put('text', text, file.name)
      budget.put('html', html, file.name)
    } else if (kind === 'relations') budget.put('text', relationTargets(content), file.name)
    else if (kind === 'office') budget.put('text', officeText(content), file.name)
    else budget.put(kind, content, file.name)
  }

  const readers: Readonly<Record<Exclude<FileKind, TextKind>, (file: AttachedFile) => Promise<void> | void>> = {
    message: readMessage,
    zip: (file) => readMembers(zipMembers(file.bytes), file),
    archive: (file) => readMembers(archiveMembers(file.bytes), file),
    gzip: readGzip,
    pdf: readPdf,
    image: readPicture,
    binary: (file) => budget.put('text', readableRuns(file.bytes), file.name),
  }
  const read = async (file: AttachedFile): Promise<void> => {
    const kind = fileKind(file.bytes, file.name, file.type)
    if (kind === null) return
    if (file.depth > limits.archiveDepth) {
      budget.problem ??= 'attachments are nested too deep'
      return
    }
    try {
      if (kind in readers) await readers[kind as keyof typeof readers](file)
      else readText(file, kind as TextKind)
    } catch (error) {
      // A broken file is no reason to hold the message; one that unpacks to too much was not read to its end.
      if (error instanceof TooMuch) budget.problem ??= errorText(error)
    }
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

  for (const part of leaves(tree.root)) if (bodyKind(part) === null) await readPart(raw, part, '', 0)
  return { texts: budget.texts, problem: budget.problem }
}

const inside = (outer: AttachedFile, bytes: Buffer, name: string): AttachedFile => ({
  bytes,
  name,
  type: '',
  charset: 'utf-8',
  depth: outer.depth + 1,
})

/** Strings of `/URI (…)` actions (ISO 32000-1 §12.6.4.7) that stand uncompressed in a PDF file, one a line. */
const uriActions = (bytes: Buffer): string =>
  [...bytes.toString('latin1').matchAll(/\/URI\s{0,8}\(([^()\r\n]{1,4096})\)/g)].map(([, uri]) => `<${uri}>`).join('\n')

const gunzip = (bytes: Buffer, maxOutputLength: number): Buffer => {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, maxOutputLength) })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new TooMuch('an archive unpacks to too much')
    throw error
  }
}
