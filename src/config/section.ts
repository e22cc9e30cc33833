import * as v from 'valibot'
import type { Issue } from '../core/errors.ts'
import type { Schema } from '../core/schema.ts'

/** One difference between two documents: `path` like `listeners.InboundMail.port`; undefined = absent on that side. */
export interface Change {
  readonly path: string
  /** The path's parts; names of list items may hold dots themselves. */
  readonly segments?: readonly string[]
  readonly before: unknown
  readonly after: unknown
}

/** Reads sections of one document: a running configuration, a draft, or a revision. */
export interface ConfigReader {
  get<T>(section: ConfigSection<T>): T
}

/**
 * One named part of the configuration document. Pure: whoever acts on it registers a `ConfigConsumer`.
 * `name` is its element in the XML file and its key in a revision; it never changes.
 */
export interface ConfigSection<T> {
  readonly name: string
  readonly version: number
  readonly schema: Schema<T>
  readonly defaults: T
  /** Sections whose consumers must have applied before this one's. A test proves that there is no cycle. */
  readonly dependsOn?: readonly string[]
  /** Cross-section rules, checked at commit and at load. Pure. */
  verify?(value: T, whole: ConfigReader): readonly Issue[]
  /** A stored value of an older `version` → one of the next version. */
  readonly migrations?: Readonly<Record<number, (old: unknown) => unknown>>
}

export const defineSection = <T>(section: ConfigSection<T>): ConfigSection<T> => section

/** The uncommitted copy of one shell session. Nothing acts on it before `commit`. */
export interface ConfigDraft extends ConfigReader {
  set<T>(section: ConfigSection<T>, value: T): void
  /** Against the base the draft started from. */
  changes(): readonly Change[]
  readonly dirty: boolean
  /** Drops every staged change (of one section when named) and starts again from the running configuration. */
  clear(section?: string): void
  /** Sections that were only read follow the running configuration again. The shell calls it before each command. */
  refresh?(): void
}

export interface CommitRecord {
  readonly revision: number
  readonly at: Date
  readonly user: string
  readonly comment: string
  /** Kept for `rollbackconfig`. */
  readonly kept: boolean
  /** Only on the answer of `commit`: what verify and prepare warned of. */
  readonly warnings?: readonly string[]
}

/** Who acts: `prepare` may refuse and must not act; `apply` is idempotent and is called backwards to undo. */
export interface ConfigConsumer<T> {
  readonly section: ConfigSection<T>
  prepare?(next: T, previous: T, whole: ConfigReader): Promise<readonly Issue[]>
  apply(next: T, previous: T, whole: ConfigReader): Promise<void>
}

/**
 * Marks text that must never be shown: encrypted in revisions, masked or encrypted in exports,
 * `*****` in showchanges. config/secrets.ts finds it by this metadata.
 */
export const secretText = () => v.pipe(v.string(), v.metadata({ secret: true }))
