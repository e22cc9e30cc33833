/** Ports of URL retrospection in the gateway. The HTTP side is adapters/http; the tables adapters/sqlite. */

/** One HTTP exchange as it happened: `body` is the parsed JSON (or null), `text` what was received (cut at a limit). */
export interface ApiAnswer {
  readonly url: string
  readonly status: number
  readonly body: unknown
  readonly text: string
  /** From Retry-After of a 429 or 503, when it was there. */
  readonly retryAfterMs?: number
  /** The service's clock when it answered. */
  readonly serverDate?: Date | null
}

export interface Registration {
  readonly token: string
  readonly regionUri: string
}

export interface RetroQuery {
  /** `2022-03-29T23:20:24Z` */
  readonly since: string
  readonly pageSize: number
}

export interface Submission {
  /** UUID by which the service names this message in its answers. */
  readonly emailId: string
  readonly url: string
  readonly submittedAt: Date
}

/** Shape in reference/url-retrospective-verdict.txt; API in docs/intelligence/api.md. Rejects with Fault UPSTREAM_UNAVAILABLE. */
export interface RetroApi {
  readonly serial: string
  registerUrl(): string
  registerPayload(): {
    readonly org_id: string
    readonly model: string
    readonly version: string
    readonly type: string
  }
  register(signal: AbortSignal): Promise<ApiAnswer>
  queryUrl(regionUri: string): string
  query(registration: Registration, query: RetroQuery, signal: AbortSignal): Promise<ApiAnswer>
  /** Which source's opinion turned the URL. */
  cause(
    registration: Registration,
    of: { readonly emailId: string; readonly url: string },
    signal: AbortSignal,
  ): Promise<ApiAnswer>
  submit(registration: Registration, items: readonly Submission[], signal: AbortSignal): Promise<ApiAnswer>
}

/** A URL of a message that was answered without a score. */
export interface WatchedUrl {
  readonly rootMid: number
  readonly messageId: string | null
  readonly url: string
  readonly direction: 'incoming' | 'outgoing'
}

/** Called by the URL stage: the URLs are journalled durably and submitted by the poller. */
export interface RetroWatch {
  watch(urls: readonly WatchedUrl[]): Promise<void>
}

export interface RetroService extends RetroWatch {
  /** `Unavailable` until registered and answered, as websecurityconfig shows it. */
  status(): {
    readonly state: 'Unavailable' | 'Connected'
    readonly detail: string
    readonly lastPollAt: Date | null
    readonly watched: number
    readonly pending: number
  }
  /** Polls now and resolves when it is done; what it did is in the `ecs` log. */
  poll(
    signal: AbortSignal,
  ): Promise<{ readonly retrospections: number; readonly acted: number; readonly error: string | null }>
}
