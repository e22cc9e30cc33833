import { hash } from 'node:crypto'
import { Fault } from '../../core/errors.ts'
import { splitAddress } from '../../core/mailbox-path.ts'
import type { Delivery, Direction, NewSpoolEntry, QueuedRecipient, SpoolEntry, SpoolState } from '../../store/spool.ts'
import type { SqlValue, Statement } from './database.ts'

/** Between the rows of spool.db and the values of store/spool. */

export interface EntryRow {
  readonly mid: number
  readonly state: SpoolState['kind']
  readonly body: number
  readonly resume_at: string | null
  readonly quarantine: string | null
  readonly reason: string | null
  readonly since: number | null
  readonly until: number | null
  readonly meta: string
  readonly meta_sum: string
}

export interface QueueRow {
  readonly mid: number
  readonly rid: number
  readonly address: string
  readonly domain: string
  readonly attempts: number
  readonly next_at: number
  readonly queued_at: number
  readonly last_error: string | null
}

export interface DeliveryRow {
  readonly mid: number
  readonly rid: number
  readonly root_mid: number
  readonly recipient: string
  readonly direction: string
  readonly sender: string
  readonly message_id: string | null
  readonly subject: string
  readonly delivered_at: number
  readonly via: string
  readonly location: string
  readonly sha256: string
  readonly received_id: string
}

const metaSum = (meta: string): string => hash('sha256', meta).slice(0, 16)

/** @throws Fault STORE_CORRUPT when the envelope does not match its checksum. */
export const toEntry = (row: EntryRow): SpoolEntry => {
  if (metaSum(row.meta) !== row.meta_sum)
    throw new Fault('STORE_CORRUPT', `spool: the envelope of MID ${row.mid} does not match its checksum`)
  const meta = JSON.parse(row.meta) as Omit<SpoolEntry, 'receivedAt'> & { readonly receivedAt: number }
  return { ...meta, receivedAt: new Date(meta.receivedAt) }
}

export const toState = (row: EntryRow): SpoolState => {
  if (row.state === 'queued') return { kind: 'queued' }
  if (row.state === 'work') return { kind: 'work', resumeAt: row.resume_at }
  return {
    kind: 'quarantined',
    quarantine: row.quarantine ?? '',
    reason: row.reason ?? '',
    since: new Date(row.since ?? 0),
    until: new Date(row.until ?? 0),
    resumeAt: row.resume_at ?? '',
  }
}

const UPSERT_ENTRY =
  'INSERT INTO entry (mid, state, received_at, size, body, resume_at, quarantine, reason, since, until, meta, meta_sum) ' +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (mid) DO UPDATE SET state = excluded.state, ' +
  'size = excluded.size, body = excluded.body, resume_at = excluded.resume_at, quarantine = excluded.quarantine, ' +
  'reason = excluded.reason, since = excluded.since, until = excluded.until, meta = excluded.meta, meta_sum = excluded.meta_sum'

const INSERT_QUEUE =
  'INSERT INTO queue (mid, rid, address, domain, attempts, next_at, queued_at, last_error) VALUES (?, ?, ?, ?, 0, ?, ?, NULL)'

/** The entry's row, and its recipients' rows when it goes into the delivery queue. */
export const entryStatements = (entry: NewSpoolEntry, body: number, now: number): readonly Statement[] => {
  const { state } = entry
  // Members without a value are left out of the JSON.
  const meta = JSON.stringify({ ...entry, receivedAt: entry.receivedAt.getTime(), state: undefined, body: undefined })
  const held = state.kind === 'quarantined' ? state : null
  const params: readonly SqlValue[] = [
    entry.mid,
    state.kind,
    entry.receivedAt.getTime(),
    entry.size,
    body,
    state.kind === 'queued' ? null : state.resumeAt,
    held?.quarantine ?? null,
    held?.reason ?? null,
    held?.since.getTime() ?? null,
    held?.until.getTime() ?? null,
    meta,
    metaSum(meta),
  ]
  const queue = state.kind === 'queued' ? entry.recipients : []
  return [
    { sql: UPSERT_ENTRY, params },
    ...queue.map(({ rid, address }) => ({
      sql: INSERT_QUEUE,
      params: [entry.mid, rid, address, splitAddress(address).domain.toLowerCase(), now, now],
    })),
  ]
}

export const toQueued = (row: QueueRow): QueuedRecipient => ({
  mid: row.mid,
  rid: row.rid,
  address: row.address,
  domain: row.domain,
  attempts: row.attempts,
  nextAttemptAt: new Date(row.next_at),
  queuedAt: new Date(row.queued_at),
  lastError: row.last_error,
})

export const toDelivery = (row: DeliveryRow): Delivery => ({
  mid: row.mid,
  rootMid: row.root_mid,
  rid: row.rid,
  recipient: row.recipient,
  direction: row.direction as Direction,
  sender: row.sender,
  messageId: row.message_id,
  subject: row.subject,
  deliveredAt: new Date(row.delivered_at),
  via: row.via as Delivery['via'],
  location: row.location,
  sha256: row.sha256,
  receivedId: row.received_id,
})

/** A second record of the same delivery (a crash after the first) changes nothing. */
export const deliveryStatements = (d: Delivery): readonly Statement[] => [
  {
    sql:
      'INSERT OR IGNORE INTO delivery (mid, rid, root_mid, recipient, direction, sender, message_id, subject, delivered_at, ' +
      'via, location, sha256, received_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    params: [
      d.mid,
      d.rid,
      d.rootMid,
      d.recipient,
      d.direction,
      d.sender,
      d.messageId,
      d.subject,
      d.deliveredAt.getTime(),
      d.via,
      d.location,
      d.sha256,
      d.receivedId,
    ],
  },
  { sql: 'INSERT OR IGNORE INTO mailbox (address) VALUES (?)', params: [d.recipient.toLowerCase()] },
  { sql: 'DELETE FROM queue WHERE mid = ? AND rid = ?', params: [d.mid, d.rid] },
]
