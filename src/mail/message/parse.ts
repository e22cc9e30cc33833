import { MailParser } from 'mailparser'
import type { AttachmentStream } from 'mailparser'
import { errorText } from '../../core/errors.ts'
import type { FoundUrl } from '../../intel/url/found.ts'
import { attachedTexts } from './attached/texts.ts'
import type { AttachedText } from './attached/budget.ts'
import type { ScanLimits } from './limits.ts'
import { headerFields, textOfPart } from './part-text.ts'
import type { AttachmentInfo, HeaderField, ParsedMessage, ScanOutcome, TextPart } from './parsed.ts'
import { bodyKind, isDelsp, isSigned, leaves, textKind, walk } from './walk.ts'
import type { MimePart, MimeTree } from './walk.ts'

/** Finds URLs in one part; intel/url implements it. */
export type UrlExtractor = (
  part: { readonly kind: 'text' | 'html'; readonly content: string; readonly delsp?: boolean },
  limit: number,
) => readonly FoundUrl[]

/**
 * What filters and engines need to know of a message. Header and text parts come from our own walk over the bytes
 * (edits need its offsets); attachments from mailparser. What either refuses makes the message unscannable.
 * Costs time in proportion to the message; runs in a scan worker under a deadline.
 */
export const parseMessage = async (raw: Buffer, limits: ScanLimits, extract: UrlExtractor): Promise<ParsedMessage> => {
  const tree = walk(raw, limits)
  const headers = headerFields(tree.root.header.fields)
  const texts = textParts(raw, tree, limits)
  const urls = findUrls(headers, texts.parts, delspParts(tree), limits.urls, extract)
  const inside = tree.problem === null ? await attachedTexts(raw, tree, limits) : { texts: [], problem: null }
  const attachedUrls = findAttachedUrls(inside.texts, limits.attachmentUrls, extract)
  const attached =
    tree.problem !== null || isText(tree.root) ? { list: [], problem: tree.problem } : await attachmentsOf(raw, limits)
  const problem = attached.problem ?? (texts.cut ? 'the text of the message is too large' : tree.doubt)
  const scan: ScanOutcome = problem === null ? { ok: true } : { ok: false, reason: problem }
  return {
    headers,
    parts: texts.parts,
    attachedText: texts.attached,
    attachments: attached.list,
    urls: [...urls.slice(0, limits.urls), ...attachedUrls.slice(0, limits.attachmentUrls)],
    urlsCut: urls.length > limits.urls,
    attachmentUrlsCut: attachedUrls.length > limits.attachmentUrls,
    attachmentsLeft: inside.problem,
    signed: isSigned(tree.root),
    scan,
  }
}

const textParts = (
  raw: Buffer,
  tree: MimeTree,
  limits: ScanLimits,
): { readonly parts: readonly TextPart[]; readonly attached: readonly TextPart[]; readonly cut: boolean } => {
  let room = limits.text
  let cut = false
  const read = (part: MimePart, kind: 'text' | 'html' | null): readonly TextPart[] => {
    if (kind === null) return []
    const content = textOfPart(raw, part)
    const kept = content.slice(0, Math.min(room, limits.textPerPart))
    if (kept.length < content.length) cut = true
    room -= kept.length
    return [{ kind, content: kept, path: part.path }]
  }
  const all = leaves(tree.root)
  const parts = all.flatMap((p) => read(p, bodyKind(p)))
  const attached = all.filter((p) => bodyKind(p) === null).flatMap((p) => read(p, textKind(p)))
  return { parts, attached, cut }
}

const delspParts = (tree: MimeTree): ReadonlySet<string> =>
  new Set(
    leaves(tree.root)
      .filter(isDelsp)
      .map((p) => p.path),
  )

/** Collects distinct URLs, one more than the limit at most. */
const collector = (limit: number) => {
  const seen = new Set<string>()
  const urls: FoundUrl[] = []
  return {
    urls,
    add: (found: readonly FoundUrl[], as: Partial<FoundUrl> = {}): void => {
      for (const url of found) {
        const key = `${url.url}\n${url.raw}`
        if (seen.has(key) || urls.length > limit) continue
        seen.add(key)
        urls.push({ ...url, ...as })
      }
    },
  }
}

const HEADERS: Readonly<Record<string, 'subject' | 'header'>> = { subject: 'subject', 'list-unsubscribe': 'header' }

const findUrls = (
  headers: readonly HeaderField[],
  parts: readonly TextPart[],
  delsp: ReadonlySet<string>,
  limit: number,
  extract: UrlExtractor,
): readonly FoundUrl[] => {
  const { urls, add } = collector(limit)
  for (const { name, value } of headers) {
    const where = HEADERS[name.toLowerCase()]
    if (where) add(extract({ kind: 'text', content: value }, limit + 1), { where })
  }
  for (const part of parts)
    add(extract({ kind: part.kind, content: part.content, delsp: delsp.has(part.path) }, limit + 1))
  return urls
}

const findAttachedUrls = (
  texts: readonly AttachedText[],
  limit: number,
  extract: UrlExtractor,
): readonly FoundUrl[] => {
  const { urls, add } = collector(limit)
  for (const { kind, content, file } of texts)
    if (urls.length <= limit) add(extract({ kind, content }, limit + 1), { where: 'attachment', file })
  return urls
}

/** One part of text that no reader shows as a file: there is nothing to list, and the second reader is not asked. */
const isText = (root: MimePart): boolean =>
  root.children.length === 0 &&
  textKind(root) !== null &&
  root.disposition.value === '' &&
  root.encoding !== null &&
  !root.type.parameters.has('name')

interface Attachments {
  readonly list: readonly AttachmentInfo[]
  readonly problem: string | null
}

const attachmentsOf = (raw: Buffer, limits: ScanLimits): Promise<Attachments> =>
  new Promise((resolve) => {
    const list: AttachmentInfo[] = []
    // Its own text conversions and link search are the expensive and the attackable part: off.
    const parser = new MailParser({
      skipHtmlToText: true,
      skipImageLinks: true,
      skipTextToHtml: true,
      skipTextLinks: true,
      maxHtmlLengthToParse: limits.text,
    })
    parser.on('data', (data: AttachmentStream & { readonly partId?: string | null }) => {
      if ((data.type as string) !== 'attachment') return
      let bytes = 0
      data.content.on('data', (chunk: Buffer) => (bytes += chunk.length))
      data.content.on('end', () => {
        list.push({
          name: typeof data.filename === 'string' ? data.filename : null,
          contentType: data.contentType,
          bytes,
          path: data.partId ?? '1',
        })
        data.release()
      })
    })
    parser.once('end', () => resolve({ list, problem: null }))
    parser.on('error', (error: unknown) => resolve({ list, problem: errorText(error) }))
    parser.end(raw)
  })
