import type { ConfigReader } from '../../config/section.ts'
import type { Env } from '../../core/env.ts'
import type { EventBus } from '../../events/bus.ts'
import type { FilterRef, PolicyTableName } from '../../events/message.ts'
import type { SpfResult } from '../../events/authentication.ts'
import type { SdrResult } from '../../intel/sdr/port.ts'
import type { FoundUrl } from '../../intel/url/found.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import type { Authentication } from '../auth/authenticate.ts'
import type { DkimWord } from '../auth/dkim.ts'
import type { ParsedMessage } from '../message/parsed.ts'

/** What engines said so far. Verdicts only: what to do about them is decided by filters and policies. */
export interface Findings {
  readonly spf: { readonly helo: SpfResult; readonly mailfrom: SpfResult } | null
  readonly dkim: DkimWord | null
  readonly dmarc: Authentication['dmarc'] | null
  readonly sdr: SdrResult | null
  /** By looked-up URL; null = not looked up (URL filtering off, or not there yet). */
  readonly urls: ReadonlyMap<string, UrlVerdict> | null
}

/** An immutable view of the message as it stands before a stage. */
export interface Message {
  readonly entry: SpoolEntry
  /** With the edits of earlier stages in `headers` (filters see processed headers); parts as received. */
  readonly parsed: ParsedMessage
  readonly findings: Findings
  /** Mail policy; null before the policy stage. */
  readonly policy: string | null
  readonly table: PolicyTableName
  /** As received, without our trace headers. */
  readonly raw: Buffer
}

/** Who changed the content: `MID 1 rewritten to MID 2 by <action> filter '<name>'`. */
export interface ContentEdit {
  readonly filter: FilterRef
  readonly action: string
}

/** A change to the message, applied once at the end; only touched headers and parts are re-encoded. Plain data. */
export type Edit = HeaderEdit | BodyEdit

export type HeaderEdit =
  | { readonly kind: 'header.insert'; readonly name: string; readonly value: string }
  | { readonly kind: 'header.edit'; readonly name: string; readonly pattern: string; readonly replacement: string }
  /** All instances; with `identifiedBy` only those whose first word it is (RFC 8601 §5). */
  | { readonly kind: 'header.strip'; readonly name: string; readonly identifiedBy?: string }

export type BodyEdit =
  /** A text of its own above or below the body; HTML parts get it escaped. */
  | (ContentEdit & { readonly kind: 'body.stamp'; readonly where: 'heading' | 'footer'; readonly text: string })
  | (ContentEdit & {
      readonly kind: 'url.rewrite'
      /** As found in the parts → what stands there instead. */
      readonly replacements: ReadonlyMap<string, string>
      readonly mode: 'defang' | 'replace'
      /** The visible text too, not only the link. */
      readonly visibleText: boolean
    })

export type FinalAction = { readonly kind: 'drop'; readonly by: FilterRef }

export interface QuarantineFlag {
  readonly quarantine: string
  readonly by: FilterRef
}

export type Outcome =
  | {
      readonly next: 'continue'
      readonly findings?: Partial<Findings>
      readonly edits?: readonly Edit[]
      /** URLs that the message's own lead to; later stages see them beside those. */
      readonly urls?: readonly FoundUrl[]
      /** Header fields of ours that go on top, CRLF-terminated. */
      readonly trace?: string
      /** Flags the message for quarantine; it is held when the stage list ends. The last flag counts. */
      readonly quarantine?: QuarantineFlag
      /** Copies into quarantine, each with the edits made before it; the original goes on. */
      readonly copies?: readonly (QuarantineFlag & { readonly edits: readonly Edit[] })[]
    }
  | {
      readonly next: 'policy'
      readonly parts: readonly { readonly rids: readonly number[]; readonly policy: string }[]
    }
  | {
      readonly next: 'final'
      readonly action: FinalAction
      readonly copies?: readonly (QuarantineFlag & { readonly edits: readonly Edit[] })[]
    }

export interface StageContext {
  readonly config: ConfigReader
  readonly env: Env
  readonly events: EventBus
  readonly signal: AbortSignal
}

/** `order` is not a number on the stage: mail/pipeline/work-queue.ts lists the stages once, top to bottom. */
export interface Stage {
  readonly name: string
  enabled(message: Message, ctx: StageContext): boolean
  process(message: Message, ctx: StageContext): Promise<Outcome>
}
