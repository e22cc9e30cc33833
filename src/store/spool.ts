/** The spool: every message that was answered 250 and has not reached its end. Ports only; adapters/sqlite implements. */

export type Direction = 'incoming' | 'outgoing'

/** When a sender wants to hear of a recipient (RFC 3461 §4.1). */
export type DsnOccasion = 'SUCCESS' | 'FAILURE' | 'DELAY'
/** How much of the message a failure notice brings back (RFC 3461 §4.3). */
export type DsnReturn = 'FULL' | 'HDRS'

export interface Recipient {
  readonly rid: number
  readonly address: string
  /** NOTIFY; empty = NEVER, absent = not given. */
  readonly notify?: readonly DsnOccasion[]
  /** ORCPT as given: `rfc822;` and xtext. */
  readonly orcpt?: string
}

/** Envelope and provenance of a message; the bytes are asked for apart. */
export interface SpoolEntry {
  readonly mid: number
  /** The MID that the client's DATA got; equal to `mid` unless this one was split off, rewritten or generated. */
  readonly rootMid: number
  readonly icid: number
  readonly receivedAt: Date
  readonly listener: string
  readonly direction: Direction
  /** RET and ENVID (xtext) as given; absent = not given. */
  readonly ret?: DsnReturn
  readonly envid?: string
  /** MAIL came with SMTPUTF8. */
  readonly utf8?: boolean
  /** Envelope sender without angle brackets; '' = null sender. */
  readonly sender: string
  readonly recipients: readonly Recipient[]
  readonly helo: string
  /** The client, or the one that an incoming relay had the message from. */
  readonly remoteAddress: string
  readonly reverseHost: string | null
  readonly reverseVerified: boolean
  readonly senderGroup: string | null
  /** base64 of 16 random bytes, as the url_rep_client log shows them. */
  readonly connectionGuid: string
  readonly messageGuid: string
  /** With its angle brackets; null = the message has none. */
  readonly messageId: string | null
  /** Raw Subject header text, '' when absent. */
  readonly subject: string
  /** Bytes of the message as received. */
  readonly size: number
  /** Our Received header (and others we add), CRLF-terminated lines that stand on top of the received bytes. */
  readonly trace: string
}

export type SpoolState =
  | { readonly kind: 'work'; /** Stage to go on with; null = from the first. */ readonly resumeAt: string | null }
  | { readonly kind: 'queued' }
  | {
      readonly kind: 'quarantined'
      readonly quarantine: string
      readonly reason: string
      readonly since: Date
      readonly until: Date
      readonly resumeAt: string
    }

export interface NewSpoolEntry extends SpoolEntry {
  readonly state: SpoolState
  /** null = the same bytes as the entry that it replaces. */
  readonly body: Uint8Array | null
}

/** One recipient in the delivery queue. */
export interface QueuedRecipient extends Recipient {
  readonly mid: number
  readonly domain: string
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly queuedAt: Date
  readonly lastError: string | null
}

/** What was delivered, where, and how a copy in a mailbox can be told to be this delivery. Kept for remediation. */
export interface Delivery {
  readonly mid: number
  readonly rootMid: number
  readonly rid: number
  readonly recipient: string
  readonly direction: Direction
  readonly sender: string
  readonly messageId: string | null
  readonly subject: string
  readonly deliveredAt: Date
  /** `maildir`: location is the file's base name; `smtp`: the next hop's address and answer. */
  readonly via: 'maildir' | 'smtp'
  readonly location: string
  /** SHA-256 (hex) of the delivered bytes. */
  readonly sha256: string
  /** The id in our own Received header. */
  readonly receivedId: string
}

export interface SpoolGauges {
  readonly inWork: number
  readonly queuedRecipients: number
  /** Of these, with at least one failed attempt. */
  readonly attemptedRecipients: number
  readonly quarantined: number
  readonly quarantinedBytes: number
  /** Of everything in the spool. */
  readonly bytes: number
  /** Of the oldest message that is not in quarantine. */
  readonly oldestReceivedAt: Date | null
}

export interface SpoolStore {
  /** Resolves when entry and body are on stable storage: only then may 250 be answered. @throws Fault STORE_FULL → 452. */
  accept(entry: NewSpoolEntry): Promise<void>
  entry(mid: number): SpoolEntry | undefined
  state(mid: number): SpoolState | undefined
  /** The received bytes, without `trace`. @throws Fault STORE_CORRUPT when they do not match their checksum. */
  body(mid: number): Promise<Buffer>
  /** Entries in state work, oldest first, with a MID above `afterMid`. */
  work(afterMid: number, limit: number): readonly SpoolEntry[]
  /** As `work`, without reading the entries. */
  workMids(limit: number): readonly number[]
  /** Atomically: `mid` is gone and `entries` stand in its place (one of them may carry the same MID). Empty = finished. */
  replace(mid: number, entries: readonly NewSpoolEntry[]): Promise<void>
  /** Recipients whose next attempt is due, grouped by message, oldest first. */
  due(now: Date, limit: number): readonly QueuedRecipient[]
  nextDueAt(): Date | null
  queued(mid: number): readonly QueuedRecipient[]
  /** Atomically: recorded in the ledger and out of the queue. Resolves true when the message has no recipient left. */
  delivered(deliveries: readonly Delivery[]): Promise<boolean>
  delay(mid: number, rids: readonly number[], until: Date, error: string): Promise<void>
  /** Many at once, atomically: out of the queue and nothing told. The messages that have no recipient left. */
  discard(rows: readonly QueuedRecipient[]): Promise<ReadonlySet<number>>
  /** Atomically: out of the queue, and the DSN (if any) in. Resolves true when the message has no recipient left. */
  bounce(mid: number, rids: readonly number[], dsn: NewSpoolEntry | null): Promise<boolean>
  quarantined(
    quarantine?: string,
  ): readonly (SpoolEntry & { readonly state: Extract<SpoolState, { kind: 'quarantined' }> })[]
  gauges(): SpoolGauges
  /** Sets a corrupt entry aside (`spool/corrupt/`), so that the others flow. */
  setAside(mid: number, reason: string): Promise<void>
}

/** What the delivery service asks of the queue beyond `SpoolStore`: fair between domains, by index, never a whole scan. */
export interface DeliveryQueue {
  /** Distinct domains with a recipient whose next attempt lies in (`after`, `upTo`]. */
  dueDomains(after: Date, upTo: Date): readonly string[]
  /** Recipients of one domain whose next attempt is due, oldest first. */
  dueFor(domain: string, now: Date, limit: number): readonly QueuedRecipient[]
  /** The first attempt that is due later than `after`. */
  nextDueAfter(after: Date): Date | null
  /** Recipients that have been queued since before `queuedBefore`, oldest first. */
  expired(queuedBefore: Date, limit: number): readonly QueuedRecipient[]
  /** `accept`, once per key: resolves with the MID that stands for the key, which is an earlier one on a repeated call. */
  acceptOnce(key: string, entry: NewSpoolEntry): Promise<number>
}

/** What was delivered, for remediation. Filled by `SpoolStore.delivered`. */
export interface DeliveryLedger {
  byRoot(rootMid: number): readonly Delivery[]
  bySubject(subject: string, since: Date): readonly Delivery[]
  /** Distinct recipients ever delivered to: the base of the guard's percentage. */
  mailboxes(): number
  prune(before: Date): Promise<void>
}

/** MID, ICID, DCID: never given twice, also after kill -9 (blocks are reserved on stable storage before use). */
export interface Counters {
  /** @throws Fault STORE_BUSY when none is left for now. */
  next(kind: 'mid' | 'icid' | 'dcid'): number
  /** Waits for those that are being reserved. Never rejects. */
  more(kind: 'mid' | 'icid' | 'dcid'): Promise<void>
  /** The last one given, for `status`. */
  current(kind: 'mid' | 'icid' | 'dcid'): number
}
