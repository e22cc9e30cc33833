import type { QueuedRecipient } from './spool.ts'

/** What operators see of the delivery queue and do to it: by index and in pages, so that a long queue costs no more. */
export interface QueueView {
  /** Recipients in the order of their messages, behind `after`. */
  page(after: QueuedRecipient | null, limit: number): readonly QueuedRecipient[]
  /** Recipients of one destination in the order of their next attempts, behind `after`. */
  pageFor(destination: string, after: QueuedRecipient | null, limit: number): readonly QueuedRecipient[]
  /** The newest message in the queue; 0 when it is empty. What is made later has a higher MID. */
  lastMid(): number
  /** The destinations with the most recipients. */
  busiest(limit: number): readonly { readonly destination: string; readonly recipients: number }[]
  depth(destination: string): QueueDepth
  /** The oldest message that is not in quarantine. */
  oldestMid(): number | null
  /** Makes up to `limit` recipients that wait for a later attempt due now; null = of every destination. How many there were. */
  hurry(destination: string | null, now: Date, limit: number): Promise<number>
  /** Gives recipients another destination, due now. */
  redirect(rows: readonly QueuedRecipient[], destination: string, now: Date): Promise<void>
}

export interface QueueDepth {
  readonly recipients: number
  /** Of these, with at least one failed attempt. */
  readonly attempted: number
  readonly oldestMid: number | null
}

/** Something that an operator has stopped; it stays so over a restart. */
export interface Suspension {
  readonly what: 'receiving' | 'delivery' | 'work queue'
  /** A listener, a domain; '' = delivery to every domain, and the work queue. */
  readonly name: string
  readonly by: string
  readonly reason: string
  readonly since: Date
}

export interface SuspensionStore {
  list(): readonly Suspension[]
  put(suspensions: readonly Suspension[]): Promise<void>
  remove(what: Suspension['what'], names: readonly string[]): Promise<void>
}
