/** Files of opinions. adapters/files implements it. */
export interface SourceFiles {
  /** Changes when the file does; rejects when it cannot be read. */
  identity(path: string): Promise<{ readonly fingerprint: string; readonly bytes: number }>
  read(path: string, maxBytes: number, signal: AbortSignal): Promise<string>
}

/** What is kept of hash lists: a file for each source. adapters/files implements it. */
export interface HashListFiles {
  /** null = there is none. */
  read(name: string): Promise<Buffer | null>
  /** Whole or not at all. */
  write(name: string, bytes: Buffer): Promise<void>
  /** @returns whether there was one. */
  remove(name: string): Promise<boolean>
}

/** Feeds on the web. adapters/http implements it. */
export interface FeedFetch {
  /** @throws FeedFault with a reason that names the host, never a key. */
  get(request: FeedRequest, signal: AbortSignal): Promise<FeedAnswer>
}

export interface FeedRequest {
  /** https. */
  readonly url: string
  /** Sent to the feed's own host only. */
  readonly key: string | null
  /** The header that carries the key; `Auth-Key` when it is not said. */
  readonly keyHeader?: string
  /** Sent as JSON by POST; null = GET. */
  readonly body: unknown
  readonly etag: string | null
  readonly modified: string | null
  /** Of the content, unpacked. */
  readonly maxBytes: number
}

export type FeedAnswer =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'content'; readonly text: string; readonly etag: string | null; readonly modified: string | null }

/** Why a feed could not be had, and how long its provider wants to be left alone. */
export class FeedFault extends Error {
  override name = 'FeedFault'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs = 0) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}
