import type { SenderLevel } from '../../events/levels.ts'
import type { OlderIntelTables } from '../../store/repositories/intel.ts'
import type { SqliteDatabase } from './database.ts'

interface OpinionRow {
  readonly kind: 'url' | 'domain'
  readonly key: string
  readonly source: string
  readonly level: SenderLevel
  readonly category: string | null
  readonly age_days: number | null
  readonly reason: string
  readonly by_user: string | null
  readonly as_of: number
}

interface SubmissionRow {
  readonly serial: string
  readonly email_id: string
  readonly url: string
  readonly submitted_at: number
  readonly retro_at: number | null
}

const CURRENT = `SELECT o.* FROM opinions_1 o JOIN sources s ON s.name = o.source AND s.generation = o.generation
  ORDER BY o.kind, o.key, o.source LIMIT ?`

export const sqliteOlder = (db: SqliteDatabase): OlderIntelTables => ({
  opinions: (limit) =>
    db.all<OpinionRow>(CURRENT, limit).map((r) => ({
      kind: r.kind,
      key: r.key,
      source: r.source,
      level: r.level,
      category: r.category,
      ageDays: r.age_days,
      reason: r.reason,
      by: r.by_user,
      asOf: new Date(r.as_of),
    })),
  submissions: (limit) =>
    db.all<SubmissionRow>('SELECT * FROM submissions_1 ORDER BY id LIMIT ?', limit).map((r) => ({
      serial: r.serial,
      emailId: r.email_id,
      url: r.url,
      at: new Date(r.submitted_at),
      retroAt: r.retro_at === null ? null : new Date(r.retro_at),
    })),
  taken: async (what, count) => {
    const sql =
      what === 'submissions'
        ? 'DELETE FROM submissions_1 WHERE id IN (SELECT id FROM submissions_1 ORDER BY id LIMIT ?)'
        : `DELETE FROM opinions_1 WHERE (kind, key, source, generation) IN (
             SELECT kind, key, source, generation FROM (${CURRENT}))`
    await db.write([{ sql, params: [count] }])
  },
})
