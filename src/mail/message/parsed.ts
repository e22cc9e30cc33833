import type { FoundUrl } from '../../intel/url/found.ts'

/** What the scan worker found in a message. Plain data: it crosses a thread boundary. */
export interface HeaderField {
  readonly name: string
  /** As it stands in the message after the colon, folds kept. */
  readonly raw: string
  /** Unfolded, encoded words decoded. */
  readonly value: string
}

export interface TextPart {
  readonly kind: 'text' | 'html'
  /** Decoded to text; cut at the limit of mail/message/limits. */
  readonly content: string
  /** Position of the part in the MIME tree: `1`, `1.2`. */
  readonly path: string
}

export interface AttachmentInfo {
  readonly name: string | null
  readonly contentType: string
  readonly bytes: number
  readonly path: string
}

export type ScanOutcome =
  | { readonly ok: true }
  /** Time-out, malformed beyond parsing, or over a limit: the message is unscannable, not lost. */
  | { readonly ok: false; readonly reason: string }

export interface ParsedMessage {
  readonly headers: readonly HeaderField[]
  readonly parts: readonly TextPart[]
  readonly attachments: readonly AttachmentInfo[]
  /** Text of text/plain and text/html attachments. */
  readonly attachedText: readonly TextPart[]
  /** Distinct per place, in order of appearance: header and body first, then attachments; each cut at its limit. */
  readonly urls: readonly FoundUrl[]
  /** More URLs than `maxUrlsInBody`, `maxUrlsInAttachments`. */
  readonly urlsCut: boolean
  readonly attachmentUrlsCut: boolean
  /** Why attachments were not searched to their end; null = they were. */
  readonly attachmentsLeft: string | null
  readonly signed: boolean
  readonly scan: ScanOutcome
}
