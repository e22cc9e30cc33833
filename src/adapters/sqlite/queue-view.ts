import type { QueueView } from '../../store/queue.ts'
import type { SqliteDatabase } from './database.ts'
import type { Moving } from './spool-moving.ts'
import { toQueued } from './spool-rows.ts'
import type { QueueRow } from './spool-rows.ts'

const QUEUE = 'SELECT mid, rid, address, domain, attempts, next_at, queued_at, last_error FROM queue'
const REDIRECT =
  'UPDATE queue SET domain = ?, next_at = ? ' +
  'WHERE (mid, rid) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))'
/** Waiting for later; the inner query is the whole cost of a page. */
const hurry = (where: string): string =>
  `UPDATE queue SET next_at = ? WHERE (mid, rid) IN (SELECT mid, rid FROM queue WHERE ${where} LIMIT ?)`

/** The queue of spool.db as operators see it; what it changes is told to the spool's memory. */
export const createQueueView = (db: SqliteDatabase, moving: Pick<Moving, 'hurried' | 'settle'>): QueueView => {
  const oldest = (state: 'work' | 'queued'): number | undefined =>
    db.get<{ mid: number }>('SELECT mid FROM entry WHERE state = ? ORDER BY mid LIMIT 1', state)?.mid
  return {
    page: (after, limit) =>
      db
        .all<QueueRow>(
          `${QUEUE} WHERE (mid, rid) > (?, ?) ORDER BY mid, rid LIMIT ?`,
          after?.mid ?? 0,
          after?.rid ?? 0,
          limit,
        )
        .map(toQueued),
    pageFor: (destination, after, limit) =>
      db
        .all<QueueRow>(
          `${QUEUE} INDEXED BY queue_domain WHERE domain = ? AND (next_at, mid, rid) > (?, ?, ?) ` +
            'ORDER BY next_at, mid, rid LIMIT ?',
          destination,
          after?.nextAttemptAt.getTime() ?? 0,
          after?.mid ?? 0,
          after?.rid ?? 0,
          limit,
        )
        .map(toQueued),
    lastMid: () => db.get<{ mid: number | null }>('SELECT max(mid) AS mid FROM queue')?.mid ?? 0,
    busiest: (limit) =>
      db.all<{ destination: string; recipients: number }>(
        'SELECT domain AS destination, count(*) AS recipients FROM queue GROUP BY domain ' +
          'ORDER BY recipients DESC, destination LIMIT ?',
        limit,
      ),
    depth: (destination) => {
      const all = db.get<{ n: number; mid: number | null }>(
        'SELECT count(*) AS n, min(mid) AS mid FROM queue INDEXED BY queue_domain WHERE domain = ?',
        destination,
      )
      const attempted = db.get<{ n: number }>(
        'SELECT count(*) AS n FROM queue INDEXED BY queue_attempted WHERE domain = ? AND attempts > 0',
        destination,
      )
      return { recipients: all?.n ?? 0, attempted: attempted?.n ?? 0, oldestMid: all?.mid ?? null }
    },
    oldestMid: () => {
      const mids = [oldest('work'), oldest('queued')].filter((mid) => mid !== undefined)
      return mids.length === 0 ? null : Math.min(...mids)
    },
    hurry: async (destination, now, limit) => {
      const at = now.getTime()
      const statement =
        destination === null
          ? { sql: hurry('next_at > ?'), params: [at, at, limit] }
          : { sql: hurry('domain = ? AND next_at > ?'), params: [at, destination, at, limit] }
      const changed = (await db.write([statement]))[0]?.changes ?? 0
      moving.hurried(destination, at)
      return changed
    },
    redirect: async (rows, destination, now) => {
      const keys = JSON.stringify(rows.map(({ mid, rid }) => [mid, rid]))
      await db.write([{ sql: REDIRECT, params: [destination, now.getTime(), keys] }])
      for (const { mid } of rows) moving.settle(mid, now.getTime())
      moving.hurried(destination, now.getTime())
    },
  }
}
