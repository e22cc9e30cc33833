import type { SenderQuery, SenderVerdict } from '../verdict.ts'

export type SdrResult =
  /** `tracker`: value of the tracker header, after the pass over the headers. */
  | { readonly kind: 'verdict'; readonly verdict: SenderVerdict; readonly tracker?: string }
  | { readonly kind: 'unscanned'; readonly reason: string }
  | { readonly kind: 'excepted'; readonly domain: string; readonly list: string }
  | { readonly kind: 'off' }

/** Sender Domain Reputation of a message; tells its work in `sdr.*` events. Never rejects: a failure is `unscanned`. */
export interface SenderReputation {
  /**
   * `envelope`: the first pass, after MAIL FROM (only in the threat_level vocabulary; otherwise `off`, no event).
   * `headers`: the pass after DATA; its result is what filters see. It also publishes the tracker header.
   */
  judge(pass: 'envelope' | 'headers', mid: number, query: SenderQuery, signal: AbortSignal): Promise<SdrResult>
}
