import type { OlderIntelTables, OlderSubmission } from '../../store/repositories/intel.ts'
import type { SqliteDatabase, Statement } from './database.ts'
import { partitionOf } from './intel-observed.ts'
import { toOpinion } from './intel-opinions.ts'
import type { OpinionRow } from './intel-opinions.ts'
import { observedTables } from './intel-schema.ts'

interface SubmissionRow {
  readonly id: number
  readonly serial: string
  readonly email_id: string
  readonly url: string
  readonly submitted_at: number
  readonly retro_at: number | null
}

const json = (rows: readonly (readonly (string | number | null)[])[]): string => JSON.stringify(rows)

/** `[id, serial, email_id, url, submitted_at]` of what no other process has brought over meanwhile. */
const MINE = 'json_each(?) i JOIN submissions_1 s ON s.id = i.value ->> 0 JOIN observers d ON d.serial = s.serial'

const intoPartition = (partition: number, rows: readonly OlderSubmission[]): readonly Statement[] => {
  const ids = json(rows.map((r) => [r.id]))
  return [
    ...observedTables(partition).map((sql): Statement => ({ sql })),
    { sql: 'INSERT OR IGNORE INTO observed_partitions VALUES (?, 0)', params: [partition] },
    {
      sql: `INSERT INTO observed_counts SELECT ?, d.id, count(*) FROM ${MINE} WHERE true GROUP BY d.id
            ON CONFLICT DO UPDATE SET n = n + excluded.n`,
      params: [partition, ids],
    },
    {
      sql: `INSERT INTO observed_${partition} (device, email_id, url, at)
            SELECT d.id, s.email_id, s.url, s.submitted_at FROM ${MINE} ORDER BY s.id`,
      params: [ids],
    },
  ]
}

/**
 * Every step writes the new tables and takes the rows read out of the old ones in one transaction, and only what is still
 * there: two processes that do it at once neither lose nor double anything.
 */
export const sqliteOlder = (db: SqliteDatabase): OlderIntelTables => ({
  opinions: (limit) =>
    db
      .all<OpinionRow & { readonly generation: number }>(
        `SELECT o.* FROM opinions_1 o JOIN sources s ON s.name = o.source AND s.generation = o.generation
         ORDER BY o.kind, o.key, o.source LIMIT ?`,
        limit,
      )
      .map((r) => ({ ...toOpinion(r), generation: r.generation })),
  moveOpinions: async (rows) => {
    // Hashes have more than the 53 bits of a number: they go as JSON text.
    const texts = rows.map(
      (o) => `[${o.hash},${o.probe},${JSON.stringify([o.kind, o.key, o.source, o.generation]).slice(1)}`,
    )
    const list = `[${texts.join(',')}]`
    const old = `json_each(?) n JOIN opinions_1 o ON o.kind = n.value ->> 2 AND o.key = n.value ->> 3
      AND o.source = n.value ->> 4 AND o.generation = n.value ->> 5`
    await db.write([
      {
        sql: `INSERT INTO changes (source, generation, probe) SELECT DISTINCT '', 0, n.value ->> 1 FROM ${old} WHERE true
              ON CONFLICT DO UPDATE SET times = times + 1`,
        params: [list],
      },
      {
        // What has been said of it since then stays.
        sql: `INSERT OR IGNORE INTO opinions
              SELECT n.value ->> 0, o.source, s.generation, n.value ->> 1, o.kind, o.key, o.level, o.category, o.age_days,
                o.reason, o.by_user, o.as_of FROM ${old} JOIN sources s ON s.name = o.source`,
        params: [list],
      },
      {
        sql: `DELETE FROM opinions_1 WHERE (kind, key, source, generation) IN (
                SELECT value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?))`,
        params: [list],
      },
    ])
  },
  submissions: (limit) =>
    db.all<SubmissionRow>('SELECT * FROM submissions_1 ORDER BY id LIMIT ?', limit).map((r) => ({
      id: r.id,
      serial: r.serial,
      emailId: r.email_id,
      url: r.url,
      at: new Date(r.submitted_at),
      retroAt: r.retro_at === null ? null : new Date(r.retro_at),
    })),
  moveSubmissions: async (rows) => {
    const partitions = new Set(rows.map((r) => partitionOf(r.at)))
    const turned = rows.filter((r) => r.retroAt !== null).map((r) => [r.id, r.ref])
    await db.write([
      {
        sql: 'INSERT OR IGNORE INTO observers (serial) SELECT DISTINCT value FROM json_each(?)',
        params: [JSON.stringify([...new Set(rows.map((r) => r.serial))])],
      },
      ...[...partitions].flatMap((partition) =>
        intoPartition(
          partition,
          rows.filter((r) => partitionOf(r.at) === partition),
        ),
      ),
      {
        sql: `INSERT INTO retros (device, email_id, ref, url, state, at, source, indicator, reason, as_of)
              SELECT d.id, s.email_id, i.value ->> 1, s.url, 'malicious', s.retro_at, '', '',
                'from before causes were kept', s.retro_at FROM ${MINE} WHERE true ON CONFLICT DO NOTHING`,
        params: [json(turned)],
      },
      {
        sql: 'DELETE FROM submissions_1 WHERE id IN (SELECT value FROM json_each(?))',
        params: [JSON.stringify(rows.map((r) => r.id))],
      },
    ])
  },
})
