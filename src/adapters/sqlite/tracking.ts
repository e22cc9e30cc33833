import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { errorText } from '../../core/errors.ts'
import type { TrackedMessage, TrackingFact, TrackingRecorder, TrackingRetention } from '../../store/tracking.ts'
import type { SqliteDatabase, SqlValue, Statement } from './database.ts'
import { candidates, identified, lowestMid } from './tracking-search.ts'

export const TRACKING_MIGRATIONS: readonly string[] = [
  `CREATE TABLE message (mid INTEGER PRIMARY KEY, icid INTEGER NOT NULL, at INTEGER NOT NULL,
     sender TEXT NOT NULL DEFAULT '', message_id TEXT, subject TEXT) STRICT;
   CREATE TABLE recipient (mid INTEGER NOT NULL, rid INTEGER NOT NULL, address TEXT NOT NULL,
     PRIMARY KEY (mid, rid)) STRICT, WITHOUT ROWID;
   CREATE TABLE delivery (mid INTEGER NOT NULL, dcid INTEGER NOT NULL, PRIMARY KEY (mid, dcid)) STRICT, WITHOUT ROWID;
   CREATE TABLE derived (mid INTEGER NOT NULL, into_mid INTEGER NOT NULL, PRIMARY KEY (mid, into_mid)) STRICT, WITHOUT ROWID;`,
  'CREATE INDEX message_by_id ON message (message_id) WHERE message_id IS NOT NULL;',
]

/** Statements that may wait for the disk; beyond it messages are still delivered, but not found by findevent. */
const MAX_WAITING = 50_000
/** Facts of a message come within milliseconds: waiting this long makes one transaction of hundreds. */
const BATCH_DELAY_MS = 250
const MAX_BATCH = 2000
/** MIDs that are looked at before mail and other sessions have their turn: some milliseconds. */
const SPAN = 10_000
const TURN_MS = 10
/** How many new messages come between two looks at the limits. */
const PRUNE_EVERY = 1000
/** A subject or address longer than this is cut: it is an index, the log has the whole. */
const MAX_TEXT = 2000

const STARTED =
  'INSERT INTO message (mid, icid, at, sender, message_id, subject) VALUES (?, ?, ?, ?, ?, ?) ' +
  "ON CONFLICT (mid) DO UPDATE SET icid = excluded.icid, sender = iif(excluded.sender = '', sender, excluded.sender), " +
  'message_id = coalesce(excluded.message_id, message_id), subject = coalesce(excluded.subject, subject)'
/** Where the parameters of STARTED have what later facts tell. */
const PLACE = { sender: 3, 'message-id': 4, subject: 5 } as const

const statement = (fact: TrackingFact): Statement => {
  const { mid } = fact
  switch (fact.kind) {
    case 'started':
      return {
        sql: STARTED,
        params: [mid, fact.icid, fact.at.getTime(), '', null, null],
      }
    case 'sender':
      return { sql: 'UPDATE message SET sender = ? WHERE mid = ?', params: [fact.text.slice(0, MAX_TEXT), mid] }
    case 'message-id':
      return { sql: 'UPDATE message SET message_id = ? WHERE mid = ?', params: [fact.text.slice(0, MAX_TEXT), mid] }
    case 'subject':
      return { sql: 'UPDATE message SET subject = ? WHERE mid = ?', params: [fact.text.slice(0, MAX_TEXT), mid] }
    case 'recipient':
      return {
        sql: 'INSERT OR REPLACE INTO recipient (mid, rid, address) VALUES (?, ?, ?)',
        params: [mid, fact.rid, fact.address.slice(0, MAX_TEXT)],
      }
    case 'delivery':
      return { sql: 'INSERT OR IGNORE INTO delivery (mid, dcid) VALUES (?, ?)', params: [mid, fact.dcid] }
    case 'derived':
      return { sql: 'INSERT OR IGNORE INTO derived (mid, into_mid) VALUES (?, ?)', params: [mid, fact.into] }
  }
}

interface Row {
  readonly mid: number
  readonly icid: number
  readonly at: number
  readonly sender: string
  readonly message_id: string | null
  readonly subject: string | null
}

/** Rows older than either limit, in every table. */
const prune = (db: SqliteDatabase, retention: TrackingRetention, now: Date): readonly Statement[] => {
  const oldest = now.getTime() - retention.maxAgeDays * 86_400_000
  const kept = db.get<{ mid: number }>('SELECT mid FROM message WHERE at >= ? ORDER BY mid LIMIT 1', oldest)
  const newest = db.get<{ mid: number | null }>('SELECT max(mid) AS mid FROM message')?.mid ?? 0
  // MIDs only grow, so age and number are both a lowest MID; gaps in the MIDs keep fewer, never more.
  const byAge = kept ? kept.mid - 1 : newest
  const byCount = newest - retention.maxMessages
  const upTo = Math.max(byAge, byCount)
  if (upTo <= 0) return []
  const params: readonly SqlValue[] = [upTo]
  return ['message', 'recipient', 'delivery', 'derived'].map((table) => ({
    sql: `DELETE FROM ${table} WHERE mid <= ?`,
    params,
  }))
}

/** The index in SQLite. Writes are grouped and bounded; a full disk costs index rows, never mail. */
export const createTrackingStore = (deps: {
  readonly db: SqliteDatabase
  readonly clock: Clock
  readonly retention: TrackingRetention
  /** Told once when rows are lost, until writing works again. */
  readonly onLost: (text: string) => void
}): TrackingRecorder => {
  const { db, clock } = deps
  const stopping = new AbortController()
  let waiting: Statement[] = []
  /** Parameters of the messages whose beginning waits: what comes soon after goes into the same row. */
  const beginnings = new Map<number, SqlValue[]>()
  let lost = 0
  let started = 0
  let writing: Promise<void> | null = null

  const writeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      beginnings.clear()
      const batch = waiting.slice(0, MAX_BATCH)
      waiting = waiting.slice(MAX_BATCH)
      if (started >= PRUNE_EVERY) {
        started = 0
        batch.push(...prune(db, deps.retention, clock.now()))
      }
      try {
        await db.write(batch)
        lost = 0
      } catch (error) {
        if (lost === 0) deps.onLost(`Message tracking lost entries: ${errorText(error)}`)
        lost += batch.length
      }
    }
  }

  let flushNow: () => void = () => undefined
  const run = async (): Promise<void> => {
    const hurry = new AbortController()
    flushNow = () => hurry.abort()
    // Ended early by flush and stop: then there is nothing to wait for.
    await clock.sleep(BATCH_DELAY_MS, AbortSignal.any([hurry.signal, stopping.signal])).catch(() => undefined)
    await writeWaiting()
    writing = null
  }

  const flush = async (): Promise<void> => {
    flushNow()
    await writing
    await writeWaiting()
  }

  const whole = (row: Row): TrackedMessage => ({
    mid: row.mid,
    icid: row.icid,
    at: new Date(row.at),
    sender: row.sender,
    messageId: row.message_id,
    subject: row.subject,
    recipients: db
      .all<{ address: string }>('SELECT address FROM recipient WHERE mid = ? ORDER BY rid', row.mid)
      .map((r) => r.address),
    dcids: db
      .all<{ dcid: number }>('SELECT dcid FROM delivery WHERE mid = ? ORDER BY dcid', row.mid)
      .map((r) => r.dcid),
    derived: db
      .all<{ into_mid: number }>('SELECT into_mid FROM derived WHERE mid = ? ORDER BY into_mid', row.mid)
      .map((r) => r.into_mid),
  })

  return {
    record: (fact) => {
      if (waiting.length >= MAX_WAITING) {
        if (lost === 0) deps.onLost('Message tracking lost entries: the disk is too slow')
        lost++
        return
      }
      const beginning = fact.kind === 'started' ? undefined : beginnings.get(fact.mid)
      if (beginning && 'text' in fact) {
        beginning[PLACE[fact.kind]] = fact.text.slice(0, MAX_TEXT)
        return
      }
      const made = statement(fact)
      if (fact.kind === 'started') {
        started++
        const params = [...(made.params ?? [])]
        beginnings.set(fact.mid, params)
        waiting.push({ ...made, params })
      } else waiting.push(made)
      writing ??= run()
    },
    message: (mid) => {
      const row = db.get<Row>('SELECT * FROM message WHERE mid = ?', mid)
      return row && whole(row)
    },
    search: async function* (field, wish, limit, signal) {
      await flush()
      const first = field === 'message-id' ? identified(db, wish) : []
      let left = limit
      const found = function* (mids: readonly number[]): Generator<TrackedMessage> {
        for (const mid of mids) {
          const row = left > 0 ? db.get<Row>('SELECT * FROM message WHERE mid = ?', mid) : undefined
          if (row === undefined) continue
          left--
          yield whole(row)
        }
      }
      yield* found(first)
      const lowest = lowestMid(db)
      for (let to = db.get<{ mid: number | null }>('SELECT max(mid) AS mid FROM message')?.mid ?? -1; to >= lowest;) {
        if (left <= 0) return
        signal.throwIfAborted()
        const since = clock.monotonic()
        const from = Math.max(lowest, to - SPAN + 1)
        let last = since
        const mids: number[] = []
        for (const { mid, text } of candidates(db, field, wish.literal, from, to)) {
          if (!mids.includes(mid) && !first.includes(mid) && wish.matches(text)) mids.push(mid)
          if (mids.length >= left) break
          if (clock.monotonic() - last < TURN_MS) continue
          // A slow pattern over long texts: mail and other sessions go on.
          await turn()
          signal.throwIfAborted()
          last = clock.monotonic()
        }
        yield* found(mids)
        to = from - 1
        await turn()
      }
    },
    flush,
    stop: async () => {
      stopping.abort()
      await flush()
    },
  }
}
