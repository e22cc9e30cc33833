import type { Change, CommitRecord, ConfigConsumer, ConfigDraft, ConfigReader } from './section.ts'

/** What both sides of a refused commit look like: who committed the section meanwhile, and when. */
export interface Conflict {
  readonly section: string
  readonly user: string
  readonly at: Date
  readonly revision: number
  /** What was committed, against what the draft started from. */
  readonly theirs: readonly Change[]
}

export interface CommitOptions {
  readonly user: string
  readonly comment: string
  /** `rollbackconfig` offers the configuration as this commit leaves it. */
  readonly keepForRollback: boolean
}

export interface ExportOptions {
  /** `mask` shows `*****`, and the file cannot be loaded; `encrypt` needs this appliance's key to load. */
  readonly passphrases: 'mask' | 'encrypt'
  /** `Product: …` lines of the comment on top. */
  readonly header: readonly string[]
}

/** A finding in a configuration file. Lines count from 1. */
export interface LineError {
  readonly line: number
  readonly message: string
}

/**
 * The running configuration and its revisions (append-only, whole documents).
 * `commit`: base-revision check → verify all → prepare all → persist → apply in order → undo in reverse on failure.
 */
export interface ConfigStore {
  readonly running: ConfigReader
  readonly revision: number
  draft(): ConfigDraft
  /**
   * @throws UserError when nothing is staged (`There is no data to commit.`), when a section was committed by
   * somebody else meanwhile (names user, time, section; the draft stays), or when verify/prepare refuses.
   */
  commit(draft: ConfigDraft, options: CommitOptions): Promise<CommitRecord>
  /** Sections that somebody else committed since the draft started and that the draft changes too. */
  conflicts(draft: ConfigDraft): readonly Conflict[]
  /** Stages a kept revision's whole document into the draft. */
  stageRevision(draft: ConfigDraft, revision: number): void
  /** Newest first; `keptOnly` gives those `rollbackconfig` offers. */
  history(limit: number, keptOnly?: boolean): readonly CommitRecord[]
  /** The lines of the configuration file of the running configuration. */
  exportLines(options: ExportOptions): Iterable<string>
  /**
   * Stages the sections of a configuration file. Either all of it is good, or nothing is staged and every finding
   * comes back with its line.
   */
  importText(draft: ConfigDraft, text: string): readonly LineError[]
  /** Stages the defaults of every section. */
  stageDefaults(draft: ConfigDraft): void
  /** Registered once at start-up by each service; order of apply follows `dependsOn`. */
  consume<T>(consumer: ConfigConsumer<T>): void
}
