/** Message tracking: the index by which findevent finds messages. Rows are renderings of events. */
export interface TrackedMessage {
  readonly mid: number
  readonly icid: number
  readonly at: Date
  readonly sender: string
  readonly recipients: readonly string[]
  readonly messageId: string | null
  readonly subject: string | null
  /** DCIDs that delivered it and MIDs derived from it. */
  readonly dcids: readonly number[]
  readonly derived: readonly number[]
}

export type TrackingField = 'from' | 'message-id' | 'subject' | 'to'

/** A compiled operator pattern. */
export interface TrackingSearch {
  readonly matches: (text: string) => boolean
  /** Every text that matches contains it; empty = nothing is certain. */
  readonly literal: string
  /** What was typed, read as a text: most people paste a Message-ID. */
  readonly typed: string
}

export interface TrackingStore {
  message(mid: number): TrackedMessage | undefined
  /** As they are found: first those whose Message-ID is the one that was typed, by the index; then all others, newest first. */
  search(field: TrackingField, wish: TrackingSearch, limit: number, signal: AbortSignal): AsyncIterable<TrackedMessage>
  /** Resolves when everything published so far is searchable. */
  flush(): Promise<void>
}

/** One fact about a message, as events tell it (store/tracking-facts.ts). */
export type TrackingFact =
  | { readonly kind: 'started'; readonly mid: number; readonly icid: number; readonly at: Date }
  | { readonly kind: 'sender' | 'message-id' | 'subject'; readonly mid: number; readonly text: string }
  | { readonly kind: 'recipient'; readonly mid: number; readonly rid: number; readonly address: string }
  | { readonly kind: 'delivery'; readonly mid: number; readonly dcid: number }
  | { readonly kind: 'derived'; readonly mid: number; readonly into: number }

/** The writing side: facts are buffered and written in groups; recording never waits and never throws. */
export interface TrackingRecorder extends TrackingStore {
  record(fact: TrackingFact): void
  /** Writes what is waiting. */
  stop(): Promise<void>
}

/** How much tracking keeps; older messages go first. */
export interface TrackingRetention {
  readonly maxMessages: number
  readonly maxAgeDays: number
}
