import type { ScanLimits } from '../limits.ts'

/** More than may be unpacked of one message. */
export class TooMuch extends Error {}

/** A file to read: an attachment, or what an archive or a forwarded message holds. */
export interface AttachedFile {
  readonly bytes: Buffer
  readonly name: string
  /** Declared media type; empty inside an archive. */
  readonly type: string
  readonly charset: string
  /** Archives and messages around it. */
  readonly depth: number
}

/** A member of an archive, in its order. */
export interface ArchiveMember {
  readonly name: string
  /** Unpacks; null when it is encrypted or broken. @throws TooMuch beyond `maxBytes`. */
  read(maxBytes: number): Promise<Buffer | null>
}

/** What of an attachment can be searched for URLs. */
export interface AttachedText {
  readonly kind: 'text' | 'html'
  readonly content: string
  /** Name of the attachment, what it holds after `/`. */
  readonly file: string
}

/** What may still be spent on one message's attachments, and what was found in them. Everything that grows ends here. */
export interface Budget {
  readonly texts: AttachedText[]
  /** Why something was left out, the first reason; null = all was read. */
  problem: string | null
  unpackedBytes: number
  unpackedFiles: number
  images: number
  pixels: number
  pdfPages: number
  put(kind: 'text' | 'html', content: string, file: string): void
}

export const attachmentBudget = (limits: ScanLimits): Budget => {
  let room = limits.text
  const budget: Budget = {
    texts: [],
    problem: null,
    unpackedBytes: limits.unpackedBytes,
    unpackedFiles: limits.unpackedFiles,
    images: limits.images,
    pixels: limits.pixels,
    pdfPages: limits.pdfPages,
    put(kind, content, file) {
      const kept = content.slice(0, Math.min(room, limits.textPerPart))
      if (kept.length < content.length) budget.problem ??= 'the text of an attachment is too large'
      room -= kept.length
      if (kept !== '') budget.texts.push({ kind, content: kept, file })
    },
  }
  return budget
}
