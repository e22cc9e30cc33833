import type { RetroStore } from '../../store/repositories/intel.ts'
import type { SqliteDatabase } from './database.ts'

interface PageRow {
  readonly email_id: string
  readonly ref: string
  readonly url: string | null
  readonly at: number
  readonly state: string
}

interface CauseRow {
  readonly source: string
  readonly indicator: string
  readonly reason: string
  readonly as_of: number
}

const DEVICE = '(SELECT id FROM observers WHERE serial = ?)'

export const sqliteRetros = (db: SqliteDatabase): RetroStore => ({
  state: ({ device, emailId, ref }) =>
    db.get<{ state: 'malicious' | 'withdrawn' }>(
      'SELECT state FROM retros WHERE device = ? AND email_id = ? AND ref = ?',
      device,
      emailId,
      ref,
    )?.state ?? null,
  record: async (items) => {
    const results = await db.write(
      items.map(({ device, emailId, ref, url, at, cause }) => ({
        sql: `INSERT INTO retros (device, email_id, ref, url, state, at, source, indicator, reason, as_of)
              VALUES (?, ?, ?, ?, 'malicious', ?, ?, ?, ?, ?)
              ON CONFLICT (device, email_id, ref) DO UPDATE SET state = 'malicious', turns = turns + 1, at = excluded.at,
                source = excluded.source, indicator = excluded.indicator, reason = excluded.reason, as_of = excluded.as_of
              WHERE state = 'withdrawn' RETURNING turns`,
        params: [
          ...[device, emailId, ref, url, at.getTime()],
          ...[cause.source, cause.indicator, cause.reason, cause.asOf.getTime()],
        ],
      })),
    )
    return results.filter((r) => r.rows[0]?.['turns'] === 1).length
  },
  withdraw: async (items) => {
    const results = await db.write(
      items.map(({ device, emailId, ref, at }) => ({
        sql: `UPDATE retros SET state = 'withdrawn', at = ? WHERE device = ? AND email_id = ? AND ref = ? AND state = 'malicious'`,
        params: [at.getTime(), device, emailId, ref],
      })),
    )
    return results.reduce((n, r) => n + r.changes, 0)
  },
  page: (serial, since, limit) =>
    db
      .all<PageRow>(
        `SELECT email_id, ref, url, at, state FROM retros WHERE device = ${DEVICE} AND at >= ? ORDER BY at, id LIMIT ?`,
        serial,
        since.getTime(),
        limit,
      )
      .map((r) => ({
        emailId: r.email_id,
        ref: r.ref,
        url: r.url,
        at: new Date(r.at),
        withdrawn: r.state === 'withdrawn',
      })),
  causes: (serial, keys) =>
    keys.map(({ emailId, ref }) => {
      const row = db.get<CauseRow>(
        `SELECT source, indicator, reason, as_of FROM retros WHERE device = ${DEVICE} AND email_id = ? AND ref = ?`,
        serial,
        emailId,
        ref,
      )
      return row
        ? { source: row.source, indicator: row.indicator, reason: row.reason, asOf: new Date(row.as_of) }
        : null
    }),
  latest: () => {
    const at = db.get<{ at: number | null }>('SELECT max(at) AS at FROM retros')?.at ?? null
    return at === null ? null : new Date(at)
  },
  prune: async (before) => {
    await db.write([{ sql: 'DELETE FROM retros WHERE at < ?', params: [before.getTime()] }])
  },
})
