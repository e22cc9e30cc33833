import type { SenderLevel } from '../../events/levels.ts'

/** The tables of the intelligence service. Ports; adapters/sqlite/intel.ts implements them in `<home>/intel/intel.db`. */

export interface StoredOpinion {
  readonly kind: 'url' | 'domain'
  /** Canonical `host/path?query` or `host`. */
  readonly key: string
  readonly source: string
  readonly level: SenderLevel
  readonly category: string | null
  /** Of the domain, in days, at `asOf`. */
  readonly ageDays: number | null
  readonly reason: string
  readonly by: string | null
  readonly asOf: Date
}

export type NewOpinion = Omit<StoredOpinion, 'source' | 'by' | 'asOf'>

export interface SourceState {
  readonly indicators: number
  readonly loadedAt: Date | null
  /** What the loaded set was made of (file identity and settings); the same again need not be loaded. */
  readonly fingerprint: string | null
  readonly error: string | null
}

export interface OpinionStore {
  bearingOn(urlKeys: readonly string[], domainKeys: readonly string[]): readonly StoredOpinion[]
  ofSource(source: string, limit: number): readonly StoredOpinion[]
  put(opinion: StoredOpinion): Promise<void>
  remove(kind: 'url' | 'domain', key: string, source: string): Promise<boolean>
  sourceState(source: string): SourceState
  sourceNames(): readonly string[]
  /**
   * Replaces what a source says: rows are added under a new generation in batches, and appear all at once when `finish`
   * commits. What was said before with the same level keeps its date.
   */
  replace(source: string, at: Date): Promise<SourceReplacement>
  failed(source: string, error: string): Promise<void>
  forget(source: string): Promise<void>
}

export interface SourceReplacement {
  add(rows: readonly NewOpinion[]): Promise<void>
  /** @returns how many indicators the source has now. */
  finish(fingerprint: string, note: string | null): Promise<number>
  abandon(): Promise<void>
}

export interface DeviceStore {
  enrol(serial: string, secretHash: string, at: Date): Promise<void>
  /** Its tokens end with it. */
  revoke(serial: string): Promise<boolean>
  secretHash(serial: string): string | null
  serials(): readonly string[]
  /** `orgId`: the organisation that the device named when it registered. */
  putToken(tokenHash: string, serial: string, orgId: string, expiresAt: Date): Promise<void>
  token(tokenHash: string): { readonly serial: string; readonly orgId: string; readonly expiresAt: Date } | null
  /** Drops tokens that ended before `before`. */
  pruneTokens(before: Date): Promise<void>
}

export interface SubmittedUrl {
  readonly id: number
  readonly serial: string
  readonly emailId: string
  readonly url: string
}

export interface StoredRetro {
  readonly emailId: string
  readonly url: string
  readonly at: Date
}

export interface RetroStore {
  /** Known pairs of e-mail and URL keep their first time. @returns the new ones. */
  submit(
    serial: string,
    items: readonly { readonly emailId: string; readonly url: string; readonly host: string }[],
    at: Date,
  ): Promise<readonly SubmittedUrl[]>
  count(serial: string): number
  /** Submissions since then without a retrospection, by id; `host` = only URLs of that host and below it. */
  open(since: Date, host: string | null, afterId: number, limit: number): readonly SubmittedUrl[]
  /** @returns how many were new: one per device, message and URL. */
  record(items: readonly (SubmittedUrl & { readonly at: Date })[]): Promise<number>
  /** Oldest first from `since` on. */
  page(serial: string, since: Date, limit: number): readonly StoredRetro[]
  prune(before: Date): Promise<void>
}

/** When this gateway first saw a sender's domain: its own measure of maturity. */
export interface FirstSeenStore {
  /** When the table began; null = nothing noted yet. */
  since(): Date | null
  seen(domain: string): Date | null
  /** The first time is kept, the last time renewed. */
  note(domains: readonly string[], at: Date): Promise<void>
  /** Forgets domains not seen since then. */
  prune(lastBefore: Date): Promise<void>
}

export interface IntelStore {
  readonly opinions: OpinionStore
  readonly devices: DeviceStore
  readonly retro: RetroStore
  readonly firstSeen: FirstSeenStore
}
