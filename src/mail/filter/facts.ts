import type { HeaderField, ParsedMessage, TextPart } from '../message/parsed.ts'
import type { Findings } from '../pipeline/stage.ts'
import type { PolicyTableName } from '../../events/message.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import type { SpoolEntry } from '../../store/spool.ts'

/** What rules and variables may ask about the message. Headers are the processed ones: earlier actions show. */
export interface Facts {
  readonly entry: SpoolEntry
  readonly parsed: ParsedMessage
  readonly findings: Findings
  readonly table: PolicyTableName
  /** Headers and attachments included. */
  readonly bytes: number
  readonly hostname: string
  readonly now: Date
  /** Seconds east of UTC here and now. */
  readonly offsetSeconds: number
  /** Match the domain exception list on the Envelope From domain only (`sdrconfig`). */
  readonly exceptionOnEnvelopeOnly: boolean
  /** The link's visible text is rewritten too (`websecurityconfig`). */
  readonly rewriteVisibleText: boolean
  /** The link of the redirect service for a URL; null while the service is off, or when it takes no such URL. */
  redirected(url: string): string | null
  headers(): readonly HeaderField[]
  random(maxExclusive: number): number
  /** Verdicts of the message's URLs, by their looked-up form; asked for once. Empty while URL filtering is off. */
  urls(): Promise<ReadonlyMap<string, UrlVerdict>>
  /** How often the pattern matches in these texts, counted up to `enough`, under the scan deadline. */
  count(pattern: string, texts: readonly TextPart[], enough: number): Promise<number>
  /** A URL rule hit; told in the log. */
  urlMatched(url: string, score: number | null, what: 'Condition' | 'Action', detail: string): void
}

/** The value of the first header of that name; undefined when there is none. */
export const headerValue = (facts: Facts, name: string): string | undefined =>
  facts.headers().find((h) => h.name.toLowerCase() === name.toLowerCase())?.value
