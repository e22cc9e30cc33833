import type { SenderLevel } from '../../events/levels.ts'
import type { OpinionStore, StoredOpinion } from '../../store/repositories/intel.ts'
import type { SqliteDatabase, Statement } from './database.ts'

interface Row {
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

interface SourceRow {
  readonly generation: number
  readonly indicators: number
  readonly loaded_at: number | null
  readonly fingerprint: string | null
  readonly error: string | null
}

const toOpinion = (r: Row): StoredOpinion => ({
  kind: r.kind,
  key: r.key,
  source: r.source,
  level: r.level,
  category: r.category,
  ageDays: r.age_days,
  reason: r.reason,
  by: r.by_user,
  asOf: new Date(r.as_of),
})

// CROSS JOIN keeps SQLite's order: a few keys first, then one probe of the primary key each.
const probe = (kind: string): string =>
  `SELECT o.* FROM json_each(?) k CROSS JOIN opinions o ON o.kind = '${kind}' AND o.key = k.value
   JOIN sources s ON s.name = o.source AND s.generation = o.generation`
const BEARING = `${probe('url')} UNION ALL ${probe('domain')}`

const PURGE_ROWS = 5000

export const sqliteOpinions = (db: SqliteDatabase): OpinionStore => {
  const source = (name: string): SourceRow | undefined =>
    db.get<SourceRow>('SELECT * FROM sources WHERE name = ?', name)

  /** Old generations go in small transactions: the writer has other work too. */
  const purge = async (name: string, keep: number): Promise<void> => {
    const statement: Statement = {
      sql: `DELETE FROM opinions WHERE (kind, key, source, generation) IN (
              SELECT kind, key, source, generation FROM opinions WHERE source = ? AND generation <> ? LIMIT ${PURGE_ROWS})`,
      params: [name, keep],
    }
    while (((await db.write([statement]))[0]?.changes ?? 0) === PURGE_ROWS);
  }

  return {
    bearingOn: (urlKeys, domainKeys) =>
      db.all<Row>(BEARING, JSON.stringify(urlKeys), JSON.stringify(domainKeys)).map(toOpinion),
    ofSource: (name, limit) =>
      db
        .all<Row>(
          `SELECT o.* FROM opinions o JOIN sources s ON s.name = o.source AND s.generation = o.generation
           WHERE o.source = ? ORDER BY o.kind, o.key LIMIT ?`,
          name,
          limit,
        )
        .map(toOpinion),
    put: async (o) => {
      await db.write([
        {
          sql: `INSERT OR REPLACE INTO opinions VALUES (?, ?, ?, (SELECT generation FROM sources WHERE name = ?), ?, ?, ?, ?, ?, ?)`,
          params: [o.kind, o.key, o.source, o.source, o.level, o.category, o.ageDays, o.reason, o.by, o.asOf.getTime()],
        },
      ])
    },
    remove: async (kind, key, name) => {
      const [result] = await db.write([
        { sql: 'DELETE FROM opinions WHERE kind = ? AND key = ? AND source = ?', params: [kind, key, name] },
      ])
      return (result?.changes ?? 0) > 0
    },
    sourceState: (name) => {
      const row = source(name)
      return {
        indicators: row?.indicators ?? 0,
        loadedAt: typeof row?.loaded_at === 'number' ? new Date(row.loaded_at) : null,
        fingerprint: row?.fingerprint ?? null,
        error: row?.error ?? null,
      }
    },
    sourceNames: () => db.all<{ name: string }>('SELECT name FROM sources ORDER BY name').map((r) => r.name),
    replace: async (name, at) => {
      const old = source(name)?.generation ?? 0
      const next = old + 1
      await db.write([{ sql: `INSERT OR IGNORE INTO sources VALUES (?, 0, 0, NULL, NULL, NULL)`, params: [name] }])
      await purge(name, old)
      return {
        add: async (rows) => {
          const json = JSON.stringify(rows.map((r) => [r.kind, r.key, r.level, r.category, r.ageDays, r.reason]))
          await db.write([
            {
              sql: `INSERT OR REPLACE INTO opinions
                    SELECT n.value ->> 0, n.value ->> 1, p.source, p.next, n.value ->> 2, n.value ->> 3, n.value ->> 4,
                      n.value ->> 5, NULL,
                      coalesce((SELECT as_of FROM opinions o WHERE o.kind = n.value ->> 0 AND o.key = n.value ->> 1
                        AND o.source = p.source AND o.generation = p.old AND o.level = n.value ->> 2), p.at)
                    FROM (SELECT ? AS source, ? AS next, ? AS old, ? AS at) p CROSS JOIN json_each(?) n`,
              params: [name, next, old, at.getTime(), json],
            },
          ])
        },
        finish: async (fingerprint, note) => {
          const results = await db.write([
            {
              sql: `UPDATE sources SET generation = ?, loaded_at = ?, fingerprint = ?, error = ?,
                      indicators = (SELECT count(*) FROM opinions WHERE source = ? AND generation = ?)
                    WHERE name = ? RETURNING indicators`,
              params: [next, at.getTime(), fingerprint, note, name, next, name],
            },
          ])
          await purge(name, next)
          return Number(results[0]?.rows[0]?.['indicators'] ?? 0)
        },
        abandon: () => purge(name, old),
      }
    },
    failed: async (name, error) => {
      await db.write([
        {
          sql: `INSERT INTO sources VALUES (?, 0, 0, NULL, NULL, ?) ON CONFLICT (name) DO UPDATE SET error = excluded.error`,
          params: [name, error],
        },
      ])
    },
    forget: async (name) => {
      await db.write([{ sql: 'DELETE FROM sources WHERE name = ?', params: [name] }])
      await purge(name, -1)
    },
  }
}
