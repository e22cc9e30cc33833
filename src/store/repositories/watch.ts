/** The watch journal: URLs that were answered without a score, and what the retrospective service said of them later. */

/** A URL of an incoming message, to be watched. */
export interface NewWatch {
  readonly rootMid: number
  readonly messageId: string | null
  readonly url: string
  /** Used when the message is not in the journal yet; afterwards the message keeps the one it has. */
  readonly emailId: string
}

export interface PendingWatch {
  readonly rootMid: number
  readonly emailId: string
  readonly url: string
}

/** A watched URL with its message, as a retrospection names it by `emailId`. */
export interface WatchRecord {
  readonly rootMid: number
  readonly messageId: string | null
  readonly emailId: string
  readonly url: string
  /** null = the service has not taken it yet. */
  readonly submittedAt: Date | null
}

/** `new`: recorded; `told`: its log lines and alert are out; `done`: handed to remediation; `ignored`: acts on nothing. */
export type RetrospectionState = 'new' | 'told' | 'done' | 'ignored'

export interface NewRetrospection {
  readonly emailId: string
  readonly url: string
  /** null = the journal knows no such message. */
  readonly rootMid: number | null
  readonly messageId: string | null
  readonly verdictAt: Date
  readonly state: 'new' | 'ignored'
}

export interface Retrospection extends Omit<NewRetrospection, 'state' | 'rootMid'> {
  readonly id: number
  readonly rootMid: number
  readonly state: RetrospectionState
}

export interface Turn extends Pick<Retrospection, 'id' | 'url' | 'messageId' | 'rootMid' | 'verdictAt'> {
  readonly withdrawn: boolean
}

/** The token opens the service's API for this device: it stays in this 0600 database and is never printed. */
export interface StoredRegistration {
  readonly token: string
  readonly regionUri: string
  /** The register address that gave it; a token of another service is of no use. */
  readonly registerUrl: string
}

export interface WatchStore {
  /** Durable when it resolves; a pair of message and URL that is there already stays as it is. Resolves how many are new. */
  watch(items: readonly NewWatch[], at: Date): Promise<number>
  /** Not yet submitted, oldest first. */
  pending(limit: number): readonly PendingWatch[]
  submitted(items: readonly PendingWatch[], at: Date): Promise<void>
  /** Submitted, and not submitted again since then. */
  renewals(before: Date, limit: number): readonly PendingWatch[]
  renewed(items: readonly PendingWatch[], at: Date): Promise<void>
  /** Out of the queue of submissions for good. */
  refused(item: PendingWatch): Promise<void>
  /** Every URL that is watched in the message. */
  urls(emailId: string): readonly string[]
  find(emailId: string, url: string): WatchRecord | undefined
  /** `watched`: submitted and still watched. */
  counts(): { readonly watched: number; readonly pending: number }
  /** All in one transaction; those already known by (emailId, url) are left out. Resolves those that are new. */
  record(items: readonly NewRetrospection[], at: Date): Promise<readonly NewRetrospection[]>
  /**
   * Later turns of recorded retrospections: back to clean, or malicious once more. Older ones than the latest known, and
   * those of retrospections that are not recorded or ignored, count for nothing.
   */
  turned(
    items: readonly {
      readonly emailId: string
      readonly url: string
      readonly verdictAt: Date
      readonly withdrawn: boolean
    }[],
  ): Promise<void>
  /** Turns that were not handed on yet. */
  turns(limit: number): readonly Turn[]
  /** In one transaction; one that has turned once more meanwhile stays open. */
  turnsHandled(turns: readonly Turn[]): Promise<void>
  /** Recorded and not yet handed on, oldest first. */
  unhandled(limit: number): readonly Retrospection[]
  mark(ids: readonly number[], state: 'told' | 'done'): Promise<void>
  registration(): StoredRegistration | null
  register(registration: StoredRegistration | null): Promise<void>
  /** How far the past has been asked for; null = never. */
  polledTo(): Date | null
  /** With the offset of the service's clock from ours, in milliseconds, where it is known. */
  setPolledTo(at: Date, clockOffset: number | null): Promise<void>
  /** The offset as of the last poll that succeeded. */
  clockOffset(): number | null
  /**
   * Ends the watch of URLs that were submitted (or, never submitted, first seen) before `before`, and forgets what is
   * left of their messages and of retrospections seen before then. Resolves how many URLs.
   */
  prune(before: Date): Promise<number>
}
