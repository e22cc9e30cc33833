import type { SenderLevel } from '../../events/levels.ts'
import type { ChangeQueue, NewOpinion, OpinionStore, StoredOpinion } from '../../store/repositories/intel.ts'
import { UserError } from '../../core/errors.ts'
import type { SqliteDatabase, Statement } from './database.ts'

/** A row of an opinion, also of an older database. */
export interface OpinionRow {
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
  readonly checked_at: number | null
}

export const toOpinion = (r: OpinionRow): StoredOpinion => ({
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

const COLUMNS = 'o.kind, o.key, o.source, o.level, o.category, o.age_days, o.reason, o.by_user, o.as_of'
const CURRENT = 'JOIN sources s ON s.name = o.source AND s.generation = o.generation'

// CROSS JOIN keeps SQLite's order: a few hashes first, then one probe of the primary key each. A hash has more than the 53
// bits of a number: lists of them go as JSON text.
const BEARING = `SELECT k.key AS place, ${COLUMNS} FROM json_each(?) k CROSS JOIN opinions o ON o.hash = k.value ${CURRENT}`
const WITH_PREFIX = `SELECT ${COLUMNS} FROM json_each(?) k CROSS JOIN opinions o
  ON o.hash BETWEEN k.value * 4294967296 AND k.value * 4294967296 + 4294967295 ${CURRENT} LIMIT ?`

const PURGE_ROWS = 5000

export const jsonList = (hashes: readonly bigint[]): string => `[${hashes.join(',')}]`

/** `[hash, probe, kind, key, level, category, age, reason]` */
const jsonRow = (r: NewOpinion): string =>
  `[${r.hash},${r.probe},${JSON.stringify([r.kind, r.key, r.level, r.category, r.ageDays, r.reason]).slice(1)}`

/** One of nobody's set: counts at once. */
const changed = (probe: bigint): Statement => ({
  sql: `INSERT INTO changes (source, generation, probe) VALUES ('', 0, ?) ON CONFLICT DO UPDATE SET times = times + 1`,
  params: [probe],
})

export const sqliteOpinions = (db: SqliteDatabase): OpinionStore => {
  const source = (name: string): SourceRow | undefined =>
    db.get<SourceRow>(
      'SELECT s.*, c.at AS checked_at FROM sources s LEFT JOIN source_checks c USING (name) WHERE s.name = ?',
      name,
    )

  /**
   * Old generations go in small transactions: the writer has other work too. With `kept` (a generation), what it does not
   * say with the same level counts as changed, in the same transaction.
   */
  const purge = async (name: string, which: string, generation: number, kept: number | null): Promise<void> => {
    const rows = `SELECT hash, source, generation FROM opinions
      WHERE source = ? AND generation ${which} ? ORDER BY generation, hash LIMIT ${PURGE_ROWS}`
    const statements: readonly Statement[] = [
      ...(kept === null
        ? []
        : [
            {
              sql: `INSERT INTO changes (source, generation, probe)
                SELECT DISTINCT '', 0, o.probe FROM (${rows}) r JOIN opinions o USING (hash, source, generation)
                WHERE NOT EXISTS (SELECT 1 FROM opinions n
                  WHERE n.hash = o.hash AND n.source = o.source AND n.generation = ? AND n.level = o.level)
                ON CONFLICT DO UPDATE SET times = times + 1`,
              params: [name, generation, kept],
            },
          ]),
      {
        sql: `DELETE FROM opinions WHERE (hash, source, generation) IN (${rows})`,
        params: [name, generation],
      },
    ]
    for (;;) {
      const results = await db.write(statements)
      if ((results[results.length - 1]?.changes ?? 0) < PURGE_ROWS) return
    }
  }

  return {
    bearingOn: (hashes) =>
      db
        .all<OpinionRow & { readonly place: number }>(BEARING, jsonList(hashes))
        .map((r) => ({ ...toOpinion(r), place: r.place })),
    ofPrefixes: (prefixes, limit) =>
      db.all<OpinionRow>(WITH_PREFIX, JSON.stringify(prefixes.map((p) => p | 0)), limit).map(toOpinion),
    ofSource: (name, limit) =>
      db
        .all<OpinionRow>(
          `SELECT ${COLUMNS} FROM opinions o ${CURRENT} WHERE o.source = ? ORDER BY o.kind, o.key LIMIT ?`,
          name,
          limit,
        )
        .map(toOpinion),
    put: async (o) => {
      await db.write([
        {
          sql: `INSERT OR REPLACE INTO opinions
                VALUES (?, ?, (SELECT generation FROM sources WHERE name = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          params: [
            o.hash,
            o.source,
            o.source,
            o.probe,
            o.kind,
            o.key,
            o.level,
            o.category,
            o.ageDays,
            o.reason,
            o.by,
            o.asOf.getTime(),
          ],
        },
        changed(o.probe),
      ])
    },
    remove: async ({ hash, probe }, name) => {
      const [result] = await db.write([
        { sql: 'DELETE FROM opinions WHERE hash = ? AND source = ?', params: [hash, name] },
        changed(probe),
      ])
      return (result?.changes ?? 0) > 0
    },
    sourceState: (name) => {
      const row = source(name)
      return {
        indicators: row?.indicators ?? 0,
        loadedAt: typeof row?.loaded_at === 'number' ? new Date(row.loaded_at) : null,
        checkedAt: typeof row?.checked_at === 'number' ? new Date(row.checked_at) : null,
        fingerprint: row?.fingerprint ?? null,
        error: row?.error ?? null,
      }
    },
    sourceNames: () => db.all<{ name: string }>('SELECT name FROM sources ORDER BY name').map((r) => r.name),
    replace: async (name, at) => {
      await db.write([{ sql: `INSERT OR IGNORE INTO sources VALUES (?, 0, 0, NULL, NULL, NULL)`, params: [name] }])
      const old = source(name)?.generation ?? 0
      const next = old + 1
      const forgetNew = async (): Promise<void> => {
        await purge(name, '>', old, null)
        await db.write([{ sql: 'DELETE FROM changes WHERE source = ? AND generation > ?', params: [name, old] }])
      }
      await purge(name, '<', old, old)
      await forgetNew()
      let added = 0
      return {
        add: async (rows) => {
          added += rows.length
          const json = `[${rows.map(jsonRow).join(',')}]`
          await db.write([
            {
              sql: `INSERT OR REPLACE INTO opinions
                    SELECT n.value ->> 0, p.source, p.next, n.value ->> 1, n.value ->> 2, n.value ->> 3, n.value ->> 4,
                      n.value ->> 5, n.value ->> 6, n.value ->> 7, NULL,
                      coalesce((SELECT as_of FROM opinions o WHERE o.hash = n.value ->> 0 AND o.source = p.source
                        AND o.generation = p.old AND o.level = n.value ->> 4), p.at)
                    FROM (SELECT ? AS source, ? AS next, ? AS old, ? AS at) p CROSS JOIN json_each(?) n`,
              params: [name, next, old, at.getTime(), json],
            },
            {
              sql: `INSERT OR IGNORE INTO changes (source, generation, probe)
                    SELECT p.source, p.next, n.value ->> 1 FROM (SELECT ? AS source, ? AS next, ? AS old) p
                    CROSS JOIN json_each(?) n
                    WHERE NOT EXISTS (SELECT 1 FROM opinions o WHERE o.hash = n.value ->> 0 AND o.source = p.source
                      AND o.generation = p.old AND o.level = n.value ->> 4)`,
              params: [name, next, old, json],
            },
          ])
        },
        finish: async (fingerprint, note) => {
          const results = await db.write([
            {
              sql: `UPDATE sources SET generation = ?, loaded_at = ?, fingerprint = ?, error = ?,
                      indicators = (SELECT count(*) FROM opinions WHERE source = ? AND generation = ?)
                    WHERE name = ? AND generation = ?
                      AND ? = (SELECT count(*) FROM opinions WHERE source = ? AND generation = ?)
                    RETURNING indicators`,
              params: [next, at.getTime(), fingerprint, note, name, next, name, old, added, name, next],
            },
          ])
          // Two that replace a set at once write under the same generation: neither is believed then.
          if ((results[0]?.rows.length ?? 0) === 0) {
            if (source(name)?.generation === old) await forgetNew()
            throw new UserError(`Another process reads the source '${name}' at this moment; the last good set is kept.`)
          }
          await purge(name, '<', next, next)
          return Number(results[0]?.rows[0]?.['indicators'] ?? 0)
        },
        abandon: forgetNew,
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
    checked: async (name, at) => {
      await db.write([{ sql: 'INSERT OR REPLACE INTO source_checks VALUES (?, ?)', params: [name, at.getTime()] }])
    },
    forget: async (name) => {
      await db.write([
        { sql: 'DELETE FROM source_checks WHERE name = ?', params: [name] },
        { sql: 'DELETE FROM sources WHERE name = ?', params: [name] },
        { sql: 'DELETE FROM changes WHERE source = ?', params: [name] },
      ])
      await purge(name, '>=', 0, -1)
    },
    resume: async () => {
      // A set that is just being loaded, perhaps by another process, is newer than what counts: it stays.
      for (const { name, generation } of db.all<{ name: string; generation: number }>(
        `SELECT name, generation FROM sources s
         WHERE EXISTS (SELECT 1 FROM opinions o WHERE o.source = s.name AND o.generation < s.generation)`,
      ))
        await purge(name, '<', generation, generation)
      for (const { source: name } of db.all<{ source: string }>(
        'SELECT DISTINCT source FROM opinions WHERE source NOT IN (SELECT name FROM sources)',
      ))
        await purge(name, '>=', 0, -1)
    },
  }
}

const ACTIVE = `(c.source = '' OR EXISTS (SELECT 1 FROM sources s WHERE s.name = c.source AND s.generation >= c.generation))`

export const sqliteChanges = (db: SqliteDatabase): ChangeQueue => ({
  next: (limit) =>
    db
      .all<{ source: string; generation: number; probe: string; times: number }>(
        `SELECT source, generation, CAST(probe AS TEXT) AS probe, times FROM changes c WHERE ${ACTIVE}
         ORDER BY source, generation, c.probe LIMIT ?`,
        limit,
      )
      .map((r) => ({ ...r, probe: BigInt(r.probe) })),
  done: async (changes) => {
    const rows = changes.map((c) => `[${JSON.stringify(c.source)},${c.generation},${c.probe},${c.times}]`)
    await db.write([
      {
        sql: `DELETE FROM changes WHERE (source, generation, probe, times) IN (
                SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))`,
        params: [`[${rows.join(',')}]`],
      },
    ])
  },
  count: () => db.get<{ n: number }>(`SELECT count(*) AS n FROM changes c WHERE ${ACTIVE}`)?.n ?? 0,
})
