import type { SenderLevel } from './levels.ts'

/** Sender Domain Reputation. null domains print as `Not Present`. */
export type SdrEvent =
  | {
      readonly type: 'sdr.requested'
      readonly mid: number
      readonly reverseHost: string | null
      readonly helo: string | null
      readonly envelopeFrom: string | null
      readonly headerFrom: string | null
      readonly replyTo: string | null
    }
  | {
      readonly type: 'sdr.verdict'
      readonly mid: number
      /** Which words the line uses, as sdrconfig had it when the message was judged. */
      readonly vocabulary: 'threat_level' | 'reputation'
      readonly level: SenderLevel
      /** `Spam`, `Phishing`…; null prints N/A. */
      readonly category: string | null
      readonly suspected: readonly string[]
      /** Age of the youngest domain in whole days; null = unknown. */
      readonly ageDays: number | null
      readonly ageDomain: string | null
    }
  | { readonly type: 'sdr.unscanned'; readonly mid: number; readonly reason: string }
  /** The sender is on the domain exception list; the query was not made. */
  | { readonly type: 'sdr.excepted'; readonly mid: number; readonly domain: string; readonly list: string }
  | { readonly type: 'sdr.tracker'; readonly mid: number; readonly tracker: string }
