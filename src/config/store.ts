import type { CommitRecord, ConfigConsumer, ConfigDraft, ConfigReader } from './section.ts'

/** What both sides of a refused commit look like: who committed the section meanwhile, and when. */
export interface Conflict {
  readonly section: string
  readonly user: string
  readonly at: Date
  readonly revision: number
}

export interface CommitOptions {
  readonly user: string
  readonly comment: string
  /** Keep the *previous* state of this commit in the list of `rollbackconfig`. */
  readonly keepForRollback: boolean
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
  /** Registered once at start-up by each service; order of apply follows `dependsOn`. */
  consume<T>(consumer: ConfigConsumer<T>): void
}
