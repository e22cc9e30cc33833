import { MailParser } from 'mailparser'
import type { AttachmentStream } from 'mailparser'
import { errorText } from '../../core/errors.ts'
import type { FoundUrl } from '../../intel/url/found.ts'
import type { ScanLimits } from './limits.ts'
import { headerFields, textOfPart } from './part-text.ts'
import type { AttachmentInfo, HeaderField, ParsedMessage, ScanOutcome, TextPart } from './parsed.ts'
import { bodyKind, isSigned, leaves, textKind, walk } from './walk.ts'
import type { MimePart, MimeTree } from './walk.ts'

/** Finds URLs in one part; intel/url implements it. */
export type UrlExtractor = (
  part: { readonly kind: 'text' | 'html'; readonly content: string },
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
  const urls = findUrls(headers, texts.parts, limits.urls, extract)
  const attached = tree.problem === null ? await attachmentsOf(raw, limits) : { list: [], problem: tree.problem }
  const problem = attached.problem ?? (texts.cut ? 'the text of the message is too large' : null)
  const scan: ScanOutcome = problem === null ? { ok: true } : { ok: false, reason: problem }
  return {
    headers,
    parts: texts.parts,
    attachedText: texts.attached,
    attachments: attached.list,
    urls: urls.slice(0, limits.urls),
    urlsCut: urls.length > limits.urls,
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

const findUrls = (
  headers: readonly HeaderField[],
  parts: readonly TextPart[],
  limit: number,
  extract: UrlExtractor,
): readonly FoundUrl[] => {
  const seen = new Set<string>()
  const urls: FoundUrl[] = []
  const add = (found: readonly FoundUrl[], where?: 'subject'): void => {
    for (const url of found) {
      const key = `${url.url}\n${url.raw}`
      if (seen.has(key) || urls.length > limit) continue
      seen.add(key)
      urls.push(where ? { ...url, where } : url)
    }
  }
  const subject = headers.find((h) => h.name.toLowerCase() === 'subject')
  if (subject) add(extract({ kind: 'text', content: subject.value }, limit + 1), 'subject')
  for (const part of parts) add(extract(part, limit + 1))
  return urls
}

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
