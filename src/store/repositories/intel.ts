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

/** `hash` and `probe` are those of the key (intel/url/hash.ts, watch-keys.ts). */
export interface NewOpinion extends Omit<StoredOpinion, 'source' | 'by' | 'asOf'> {
  readonly hash: bigint
  readonly probe: bigint
}

/** `place`: the position of its hash in what was asked. */
export type PlacedOpinion = StoredOpinion & { readonly place: number }

export interface SourceState {
  readonly indicators: number
  readonly loadedAt: Date | null
  /** When it was last renewed or found unchanged; null = never noted. */
  readonly checkedAt: Date | null
  /** What the loaded set was made of (file identity and settings); the same again need not be loaded. */
  readonly fingerprint: string | null
  readonly error: string | null
}

export interface OpinionStore {
  bearingOn(hashes: readonly bigint[]): readonly PlacedOpinion[]
  /** Everything whose hash begins with one of these 32 bits; at most `limit`. */
  ofPrefixes(prefixes: readonly number[], limit: number): readonly StoredOpinion[]
  ofSource(source: string, limit: number): readonly StoredOpinion[]
  put(opinion: StoredOpinion & Pick<NewOpinion, 'hash' | 'probe'>): Promise<void>
  remove(key: Pick<NewOpinion, 'hash' | 'probe'>, source: string): Promise<boolean>
  sourceState(source: string): SourceState
  sourceNames(): readonly string[]
  /**
   * Replaces what a source says: rows are added under a new generation in batches, and appear all at once when `finish`
   * commits. What was said before with the same level keeps its date.
   */
  replace(source: string, at: Date): Promise<SourceReplacement>
  failed(source: string, error: string): Promise<void>
  checked(source: string, at: Date): Promise<void>
  forget(source: string): Promise<void>
  /** Goes on with what a crash left of replaced and forgotten sets. */
  resume(): Promise<void>
}

/**
 * Keys whose opinions changed and under which what was observed has to be judged again. Written in the transaction of the
 * change itself and taken away when the work is done: a restart in the middle goes on.
 */
export interface ChangeQueue {
  /** Of sets that count by now, in the order of their probes. */
  next(limit: number): readonly OpinionChange[]
  done(changes: readonly OpinionChange[]): Promise<void>
  count(): number
}

export interface OpinionChange {
  readonly source: string
  readonly generation: number
  readonly probe: bigint
  /** Counts how often it changed: what changes again meanwhile is not done. */
  readonly times: number
}

export interface SourceReplacement {
  add(rows: readonly NewOpinion[]): Promise<void>
  /** @returns how many indicators the source has now. @throws UserError when another process replaced the set meanwhile. */
  finish(fingerprint: string, note: string | null): Promise<number>
  abandon(): Promise<void>
}

export interface DeviceStore {
  enrol(serial: string, secretHash: string, at: Date): Promise<void>
  /** Its tokens end with it. */
  revoke(serial: string): Promise<boolean>
  secretHash(serial: string): string | null
  serials(): readonly string[]
  /** `orgId`: the organisation that the device named when it registered. A device has few tokens: the oldest end. */
  putToken(tokenHash: string, serial: string, orgId: string, expiresAt: Date): Promise<void>
  token(tokenHash: string): { readonly serial: string; readonly orgId: string; readonly expiresAt: Date } | null
  /** Drops tokens that ended before `before`. */
  pruneTokens(before: Date): Promise<void>
}

/** A URL that a device wants watched: as found, or its look-up expressions' hashes under a name of the device's. */
export interface NewObserved {
  readonly emailId: string
  readonly url: string | null
  /** With `url` null: its `urlRef`, by which the device knows it again. */
  readonly ref: string | null
  /** With `url` null: see WatchKeys. */
  readonly keys: { readonly hashes: readonly bigint[]; readonly index: readonly number[] } | null
}

export interface ObservedUrl extends NewObserved {
  readonly partition: number
  /** Ascending within its partition. */
  readonly id: number
  readonly device: number
  readonly at: Date
}

/** What devices watch, in partitions of six hours, each a table in order of arrival and an index by hash. */
export interface ObservedStore {
  append(serial: string, items: readonly NewObserved[], at: Date): Promise<readonly ObservedUrl[]>
  /** Rows of the device that are kept. */
  count(serial: string): number
  /** Oldest first. */
  partitions(): readonly number[]
  /** URLs behind this id, by id; what came as hashes only is left out. */
  urls(partition: number, afterId: number, limit: number): readonly { readonly id: number; readonly url: string }[]
  /** Rows behind this id that the index does not have yet, by id. */
  unindexed(partition: number, afterId: number, limit: number): readonly Pick<ObservedUrl, 'id' | 'url' | 'keys'>[]
  /** Adds pairs of hash and id, in order of hash; also twice the same. */
  index(partition: number, pairs: BigInt64Array): Promise<void>
  /** Everything up to this id is in the index. */
  indexed(partition: number, id: number): Promise<void>
  /** Rows under any of the probes; with one probe, `afterId` pages through them. */
  find(partition: number, probes: readonly bigint[], afterId: number, limit: number): readonly ObservedUrl[]
  /** Drops partitions that ended before then. @returns how many. */
  prune(before: Date): Promise<number>
}

/** Why a URL turned. */
export interface RetroCause {
  readonly source: string
  readonly indicator: string
  readonly reason: string
  readonly asOf: Date
}

export interface StoredRetro {
  readonly emailId: string
  /** null: the device gave hashes only, and `ref` names it. */
  readonly url: string | null
  readonly ref: string
  readonly at: Date
  readonly withdrawn: boolean
}

export type RetroKey = Pick<ObservedUrl, 'device' | 'emailId'> & { readonly ref: string }

/** One entry per device, e-mail and URL: its latest state. */
export interface RetroStore {
  state(key: RetroKey): 'malicious' | 'withdrawn' | null
  /** @returns how many had no entry before. */
  record(
    items: readonly (RetroKey & { readonly url: string | null; readonly at: Date; readonly cause: RetroCause })[],
  ): Promise<number>
  withdraw(items: readonly (RetroKey & { readonly at: Date })[]): Promise<number>
  /** Oldest first from `since` on. */
  page(serial: string, since: Date, limit: number): readonly StoredRetro[]
  causes(serial: string, keys: readonly Pick<RetroKey, 'emailId' | 'ref'>[]): readonly (RetroCause | null)[]
  /** Time of the newest entry. */
  latest(): Date | null
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

export interface OlderSubmission {
  readonly id: number
  readonly serial: string
  readonly emailId: string
  readonly url: string
  readonly at: Date
  readonly retroAt: Date | null
}

export type OlderOpinion = StoredOpinion & { readonly generation: number }

/** Tables of a database from before hashes: read in small steps; what is brought over leaves them in the same transaction. */
export interface OlderIntelTables {
  /** Of the sets that count. */
  opinions(limit: number): readonly OlderOpinion[]
  moveOpinions(rows: readonly (OlderOpinion & Pick<NewOpinion, 'hash' | 'probe'>)[]): Promise<void>
  submissions(limit: number): readonly OlderSubmission[]
  moveSubmissions(rows: readonly (OlderSubmission & Pick<RetroKey, 'ref'>)[]): Promise<void>
}

export interface IntelStore {
  readonly opinions: OpinionStore
  readonly changes: ChangeQueue
  readonly devices: DeviceStore
  readonly observed: ObservedStore
  readonly retro: RetroStore
  readonly firstSeen: FirstSeenStore
  readonly older: OlderIntelTables
}
