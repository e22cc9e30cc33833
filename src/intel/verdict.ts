import type { SenderLevel, ThreatLevel } from '../events/levels.ts'

/** What somebody says of an indicator. An opinion names its source, age and reason; verdicts are chosen from opinions. */
export interface Opinion {
  /** URL, URL prefix, host or domain in canonical form. */
  readonly indicator: string
  readonly kind: 'url' | 'domain'
  readonly level: SenderLevel
  readonly category: string | null
  /** Days since the domain was first seen or registered, when the source knows. */
  readonly ageDays: number | null
  readonly source: string
  readonly reason: string
  readonly asOf: Date
  /** The user who set it, for opinions of the source `operator`. */
  readonly by?: string
}

export interface UrlVerdict {
  readonly url: string
  readonly level: ThreatLevel
  /** −10.0 … +10.0; null = no score (unknown). */
  readonly score: number | null
  readonly category: string | null
  /** The opinion that decided, null when nobody said anything. */
  readonly because: Opinion | null
}

/** What a sender is judged by; null = not present. */
export interface SenderQuery {
  readonly remoteAddress: string
  readonly reverseHost: string | null
  readonly helo: string | null
  readonly envelopeFrom: string | null
  readonly headerFrom: string | null
  readonly replyTo: string | null
  readonly spf?: string
  readonly dkim?: string
  readonly dmarc?: string
  /** Only with Include Additional Attributes. */
  readonly userParts?: readonly string[]
  readonly displayNames?: readonly string[]
}

export interface SenderVerdict {
  readonly level: SenderLevel
  readonly category: string | null
  /** Domains that caused a verdict worse than neutral. */
  readonly suspected: readonly string[]
  /** Of the youngest domain; null = unknown. */
  readonly ageDays: number | null
  readonly ageDomain: string | null
  readonly because: readonly Opinion[]
}
