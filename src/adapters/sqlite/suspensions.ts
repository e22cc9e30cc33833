import type { Suspension, SuspensionStore } from '../../store/queue.ts'
import type { SqliteDatabase } from './database.ts'

interface Row {
  readonly what: Suspension['what']
  readonly name: string
  readonly by: string
  readonly reason: string
  readonly since: number
}

/** What operators have suspended, in spool.db: it must be known before the first message moves. */
export const createSuspensionStore = (db: SqliteDatabase): SuspensionStore => ({
  list: () =>
    db
      .all<Row>('SELECT what, name, by, reason, since FROM suspension ORDER BY what, name')
      .map((row) => ({ ...row, since: new Date(row.since) })),
  put: async (suspensions) => {
    await db.write(
      suspensions.map((s) => ({
        sql:
          'INSERT INTO suspension (what, name, by, reason, since) VALUES (?, ?, ?, ?, ?) ' +
          'ON CONFLICT (what, name) DO UPDATE SET by = excluded.by, reason = excluded.reason, since = excluded.since',
        params: [s.what, s.name, s.by, s.reason, s.since.getTime()],
      })),
    )
  },
  remove: async (what, names) => {
    await db.write(
      names.map((name) => ({ sql: 'DELETE FROM suspension WHERE what = ? AND name = ?', params: [what, name] })),
    )
  },
})
