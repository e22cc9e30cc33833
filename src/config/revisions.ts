/** What is known of a revision without its document. */
export interface RevisionRecord {
  readonly number: number
  readonly at: Date
  readonly user: string
  readonly comment: string
  /** Offered by `rollbackconfig`. */
  readonly kept: boolean
  /** Names of the sections in which it differs from the revision before. */
  readonly sections: readonly string[]
}

export interface Revision extends RevisionRecord {
  /** config/codec.ts writes and reads it. Secrets in it are encrypted. null = its checksum does not match. */
  readonly document: string | null
}

/**
 * Revisions on stable storage: whole documents, appended and never altered. adapters/sqlite implements.
 * It stands here and not in store/, because config/ is the lower layer and is the one that needs it.
 */
export interface RevisionStore {
  /**
   * Appends the revision and its audit row together; resolves when both are on stable storage.
   * @throws Fault when the number is taken, or the store is full or broken; nothing is kept then.
   */
  append(
    revision: RevisionRecord & { readonly document: string },
    audit: { readonly action: 'commit' | 'undo' | 'install'; readonly detail: string },
  ): Promise<void>
  /** Newest first. */
  list(limit: number, keptOnly: boolean): readonly RevisionRecord[]
  /** Newest first, of those after `number`. */
  since(number: number): readonly RevisionRecord[]
  read(number: number): Revision | undefined
}
