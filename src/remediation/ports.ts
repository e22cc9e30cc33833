import type { Delivery } from '../store/spool.ts'

/** A message found in a mailbox. `confirmed`: there is evidence that it is the copy which this delivery put there. */
export interface Found {
  readonly mailbox: string
  readonly id: string
  readonly folder: string
  readonly confirmed: boolean
  /** What confirmed it, or why it could not be. */
  readonly evidence: string
}

export type Remedy =
  { readonly kind: 'delete' } | { readonly kind: 'forward'; readonly to: string; readonly thenDelete: boolean }

export type RemedyOutcome =
  | {
      readonly status: 'done'
      /** Where the hold area keeps it; null when nothing was deleted. */ readonly held: string | null
    }
  | {
      readonly status: 'not-found' | 'forbidden' | 'throttled' | 'failed'
      readonly detail: string
      readonly retryAfterMs?: number
    }

/** A kind of mailbox: the embedded Maildirs and IMAP now; Graph and EWS later. One contract suite for all. */
export interface MailboxProvider {
  readonly kind: 'maildir' | 'imap' | 'graph' | 'ews'
  probe(mailbox: string, signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>
  /** Finds a message that has no Message-ID, by other evidence. */
  readonly findsWithoutId?: boolean
  /** By exact Message-ID and by evidence, through every folder of the mailbox. */
  find(target: Delivery, signal: AbortSignal): AsyncIterable<Found>
  /** Idempotent: a second call for the same copy answers `done` or `not-found`, never acts twice. */
  remedy(found: Found, remedy: Remedy, target: Delivery, signal: AbortSignal): Promise<RemedyOutcome>
  /** Puts a held message back. */
  undo(held: string, target: Delivery, signal: AbortSignal): Promise<RemedyOutcome>
  /** Ends the retention of held messages. */
  pruneHeld(before: Date): Promise<number>
  /** The mailboxes of one profile, where a kind has several servers. */
  forProfile?(profile: string): MailboxProvider
}

/** Sends the forwarded copy: adapters put it into our own queue, so it is durable and retried. */
export interface Forwarder {
  /** `original` is attached as message/rfc822. The key makes a repeated call send once. */
  forward(key: string, to: string, original: Uint8Array, target: Delivery, signal: AbortSignal): Promise<void>
}

/** `withdrawn`: its verdict went back to clean before it was done; it waits for the verdict to come again. */
export type JobState = 'waiting-approval' | 'pending' | 'done' | 'failed' | 'skipped' | 'undone' | 'withdrawn'

export interface RemediationJob {
  readonly id: number
  /** All jobs of one verdict share a batch. */
  readonly batch: number
  readonly url: string
  readonly delivery: Delivery
  readonly action: 'delete' | 'forward_and_delete' | 'forward'
  readonly profile: string | null
  readonly state: JobState
  /** The verdict went back to clean: a deleted message is offered for undo. */
  readonly withdrawn: boolean
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly detail: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface RemediationService {
  list(filter?: {
    readonly state?: JobState
    readonly batch?: number
    readonly mid?: number
  }): readonly RemediationJob[]
  job(id: number): RemediationJob | undefined
  /** Lets a held batch go on. @throws UserError when there is none waiting. */
  approve(batch: number, user: string): Promise<number>
  /** Ends a held batch without acting. @throws UserError when there is none waiting. */
  deny(batch: number, user: string): Promise<number>
  /** Jobs whose verdict was withdrawn, and that hold what can be put back. */
  offered(): readonly RemediationJob[]
  /** The verdict of the URL went back to clean, or came once more. Repeatable. */
  turn(url: string, withdrawn: boolean): Promise<void>
  /** Puts back what a job deleted. @throws UserError when it cannot. */
  undo(job: number, user: string, signal: AbortSignal): Promise<void>
  /** Whether the profile reaches the mailbox. */
  probe(
    profile: string,
    mailbox: string,
    signal: AbortSignal,
  ): Promise<{ readonly ok: boolean; readonly detail: string }>
  /** Runs what is due and resolves when nothing is left that can run now. */
  drain(signal: AbortSignal): Promise<void>
  /**
   * A verdict turned malicious: `rootMids` are the messages that carried the URL. Repeatable by `key`. Resolves how many
   * delivered copies it added to the queue; 0 while Mailbox Auto Remediation is off.
   */
  enqueue(verdict: {
    readonly key: string
    readonly url: string
    readonly rootMids: readonly number[]
    readonly cause?: () => Promise<string | null>
  }): Promise<number>
  /** Jobs that wait for their turn; those that wait for approval are not counted. */
  pending(): number
}
