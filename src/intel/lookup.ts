import type { Opinion, SenderQuery, SenderVerdict, UrlVerdict } from './verdict.ts'

/** Where verdicts come from: in process (embedded) or over HTTPS from a shared service. */
export interface IntelLookup {
  readonly name: string
  /** One batch; the answer has an entry for every URL asked (unknown: level `unknown`, score null). */
  urls(urls: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, UrlVerdict>>
  sender(query: SenderQuery, signal: AbortSignal): Promise<SenderVerdict>
  /** How long the service's name took to resolve, where it has one to resolve. */
  dnsTimes?(): Times
}

/** Seconds; null = nothing measured yet. */
export interface Times {
  readonly minimum: number | null
  readonly average: number
  readonly maximum: number | null
}

/** The url_rep_client: cache in front of `IntelLookup`, one batch a message, its work told in events. */
export interface UrlReputation {
  lookup(request: UrlReputationRequest, signal: AbortSignal): Promise<ReadonlyMap<string, UrlVerdict>>
  diagnostics(): UrlReputationDiagnostics
  flush(): void
}

export interface UrlReputationRequest {
  readonly mid: number
  /** `antispam` (the URL scan) or `work_queue` (a filter), see logs.md. */
  readonly source: 'antispam' | 'work_queue'
  readonly connectionGuid: string
  readonly messageGuid: string
  readonly urls: readonly string[]
  readonly outbound: boolean
  /** Told of the URLs whose look-up failed: they have no verdict. */
  readonly onFailed?: (urls: readonly string[]) => void
}

export interface UrlReputationDiagnostics {
  readonly cacheSize: number
  readonly cacheHits: number
  readonly response: Times
  readonly dns: Times
}

/** Operators' side of the intelligence service (`intelconfig`): the role that may change verdicts. */
export interface IntelAdmin {
  set(
    indicator: string,
    level: string,
    options: { readonly user: string; readonly category?: string; readonly reason?: string; readonly ageDays?: number },
  ): Promise<IntelChange>
  remove(indicator: string, user: string): Promise<boolean>
  show(indicator?: string): readonly Opinion[]
  /** Every opinion that bears on the indicator, the one that decides first, and the resulting verdict. */
  explain(indicator: string): Promise<IntelExplanation>
  sources(): readonly IntelSourceStatus[]
  refresh(source: string, signal: AbortSignal): Promise<number>
}

export interface IntelChange {
  readonly indicator: string
  readonly kind: 'url' | 'domain'
  readonly before: string
  readonly after: string
  /** Retrospections that this change caused. */
  readonly retrospections: number
}

export interface IntelExplanation {
  readonly indicator: string
  readonly verdict: string
  readonly score: number | null
  readonly rule: string
  readonly opinions: readonly Opinion[]
}

export interface IntelSourceStatus {
  readonly name: string
  readonly enabled: boolean
  readonly indicators: number
  readonly loadedAt: Date | null
  /** When the provider last said that there is nothing newer, or gave it; null for files and before the first time. */
  readonly checkedAt: Date | null
  readonly error: string | null
  /** Whose terms count; null = not known to us. */
  readonly licence: string | null
}
