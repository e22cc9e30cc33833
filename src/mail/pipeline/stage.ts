import type { ConfigReader } from '../../config/section.ts'
import type { Env } from '../../core/env.ts'
import type { EventBus } from '../../events/bus.ts'
import type { FilterRef, PolicyTableName } from '../../events/message.ts'
import type { SpfResult } from '../../events/authentication.ts'
import type { SdrResult } from '../../intel/sdr/port.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import type { ParsedMessage } from '../message/parsed.ts'

/** What engines said so far. Verdicts only: what to do about them is decided by filters and policies. */
export interface Findings {
  readonly spf: { readonly helo: SpfResult; readonly mailfrom: SpfResult } | null
  readonly dkim: 'pass' | 'fail' | 'none' | null
  readonly dmarc: 'pass' | 'fail' | 'none' | null
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

/** A change to the message, applied once at the end; only touched headers and parts are re-encoded. */
export type Edit =
  | { readonly kind: 'header.insert'; readonly name: string; readonly value: string }
  | { readonly kind: 'header.edit'; readonly name: string; readonly pattern: string; readonly replacement: string }
  | { readonly kind: 'header.strip'; readonly name: string }
  /** A text of its own above or below the body; HTML parts get it escaped. */
  | { readonly kind: 'body.stamp'; readonly where: 'heading' | 'footer'; readonly text: string }
  | {
      readonly kind: 'url.rewrite'
      /** As found in the parts → what stands there instead. */
      readonly replacements: ReadonlyMap<string, string>
      readonly mode: 'defang' | 'replace'
      readonly filter: FilterRef
      readonly action: string
    }

export type FinalAction =
  | { readonly kind: 'drop'; readonly by: FilterRef }
  | { readonly kind: 'quarantine'; readonly quarantine: string; readonly by: FilterRef }
  | { readonly kind: 'deliver' }

export type Outcome =
  | {
      readonly next: 'continue'
      readonly findings?: Partial<Findings>
      readonly edits?: readonly Edit[]
      /** Flags the message for quarantine; it is held when the stage list ends or a final action comes. */
      readonly quarantine?: { readonly quarantine: string; readonly by: FilterRef }
      /** Copies into quarantine at once; the original goes on. */
      readonly copies?: readonly { readonly quarantine: string; readonly by: FilterRef }[]
    }
  | {
      readonly next: 'policy'
      readonly parts: readonly { readonly rids: readonly number[]; readonly policy: string }[]
    }
  | { readonly next: 'final'; readonly action: FinalAction; readonly edits?: readonly Edit[] }

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
