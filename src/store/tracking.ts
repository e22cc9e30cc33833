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

export interface TrackingStore {
  message(mid: number): TrackedMessage | undefined
  /** Newest first; `matches` is a compiled operator pattern. */
  search(
    field: TrackingField,
    matches: (text: string) => boolean,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly TrackedMessage[]>
  /** Resolves when everything published so far is searchable. */
  flush(): Promise<void>
}
