import type { RemediationEvent } from '../../events/remediation.ts'
import type { Delivery } from '../spool.ts'

/** The remediation queue: batches (one for a verdict) and jobs (one for a delivered copy). */

export type StoredJobState = 'waiting-approval' | 'pending' | 'done' | 'failed' | 'skipped' | 'undone' | 'withdrawn'
export type StoredAction = 'delete' | 'forward_and_delete' | 'forward'

export interface NewJob {
  readonly url: string
  readonly delivery: Delivery
  readonly action: StoredAction
  readonly profile: string | null
}

/** A copy in a mailbox as the provider named it: recorded before it is touched, so that a restart goes on with it. */
export interface Target {
  readonly mailbox: string
  readonly id: string
  readonly folder: string
  readonly confirmed: boolean
  readonly evidence: string
}

export interface StoredJob extends NewJob {
  readonly id: number
  readonly batch: number
  readonly state: StoredJobState
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly detail: string
  readonly createdAt: Date
  readonly updatedAt: Date
  /** What it was about to act on; null = it has not come so far. */
  readonly targets: readonly Target[] | null
  /** Where the hold area keeps what it deleted. */
  readonly held: readonly string[]
  readonly withdrawn: boolean
}

export interface NewBatch {
  /** Makes the call repeatable: a batch that exists under this key is answered as it is. */
  readonly key: string
  readonly url: string
  readonly rootMids: readonly number[]
  readonly jobs: readonly NewJob[]
  /** Why it waits for approval; null = it may run. */
  readonly heldFor: string | null
  /** Joins this waiting batch instead of making one of its own. */
  readonly joins: number | null
  /** What an operator reads of jobs that wait. */
  readonly detail: string
  readonly at: Date
}

export interface BatchResult {
  readonly batch: number
  /** Jobs that this call added. */
  readonly added: number
  /** False when the key was there already. */
  readonly fresh: boolean
}

export interface StoredVerdict {
  readonly url: string
  readonly rootMid: number
  readonly batch: number
}

export interface JobFilter {
  readonly state?: StoredJobState | undefined
  readonly batch?: number | undefined
  readonly mid?: number | undefined
}

export interface JobUpdate {
  readonly state: StoredJobState
  readonly attempts: number
  readonly nextAttemptAt: Date | null
  readonly detail: string
  readonly targets: readonly Target[] | null
  readonly held: readonly string[]
  readonly at: Date
}

/** What a job's end says, until it is told. */
export interface StoredNews {
  readonly job: number
  readonly events: readonly RemediationEvent[]
}

/** What became of the copies of a withdrawn verdict. */
export interface WithdrawnCounts {
  /** Deleted, and still held. */
  readonly back: number
  readonly forwarded: number
  /** Not acted on yet. */
  readonly stopped: number
}

export interface RemediationStore {
  /** In one transaction. A delivery that has a job for this URL already gets no second one. */
  add(batch: NewBatch): Promise<BatchResult>
  batchOf(key: string): number | undefined
  job(id: number): StoredJob | undefined
  /** Newest first. */
  list(filter: JobFilter, limit: number): readonly StoredJob[]
  /** Jobs of one delivered copy, by every URL. */
  byDelivery(mid: number, rid: number): readonly StoredJob[]
  due(now: Date, limit: number): readonly StoredJob[]
  /** Pending jobs, due or not. */
  pending(): number
  nextDueAt(): Date | null
  /** `news` is kept with the update, in one transaction, until it is `told`. */
  update(id: number, update: JobUpdate, news?: readonly RemediationEvent[]): Promise<void>
  /** News that a crash may have kept from being told, oldest first. */
  untold(limit: number): readonly StoredNews[]
  told(jobs: readonly number[]): Promise<void>
  /** Every waiting job of the batch becomes pending, due at `at`. Resolves how many. */
  approve(batch: number, at: Date): Promise<number>
  /** Every waiting job of the batch ends as skipped, and what was withdrawn of it; none when none waits. Resolves how many waited. */
  deny(batch: number, detail: string, at: Date): Promise<number>
  /** Withdraws or renews what a URL's verdict caused. Resolves how many jobs changed. */
  turn(url: string, withdrawn: boolean, at: Date): Promise<number>
  withdrawnOf(url: string): WithdrawnCounts
  /** Withdrawn, and holding something that was not put back; newest first. */
  offered(limit: number): readonly StoredJob[]
  /** Messages of a verdict since then that ran without an operator's approval. */
  messagesOf(url: string, since: Date): number
  /** Recipients of jobs since then that ran without an operator's approval. */
  mailboxesSince(since: Date): readonly string[]
  /** The newest batch that waits for the reason since then. */
  waitingBatch(reason: string, since: Date): number | undefined
  /** Verdicts since then, newest first: their messages may be delivered later than the verdict came. */
  verdicts(since: Date, limit: number): readonly StoredVerdict[]
  /** Forgets ended jobs last touched before then, and verdicts of that age. */
  prune(before: Date): Promise<number>
}
