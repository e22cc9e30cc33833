import type { RemediationEvent } from '../../events/remediation.ts'
import type { Delivery } from '../../store/spool.ts'
import type {
  RemediationStore,
  StoredAction,
  StoredJob,
  StoredJobState,
  Target,
  WithdrawnCounts,
} from '../../store/repositories/remediation.ts'
import type { SqliteWriter, Statement } from './database.ts'

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE batches (
     id INTEGER PRIMARY KEY, url TEXT NOT NULL, held_for TEXT, approved INTEGER NOT NULL DEFAULT 0,
     created_at INTEGER NOT NULL);
   CREATE TABLE keys (key TEXT PRIMARY KEY, batch INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE verdicts (
     url TEXT NOT NULL, root_mid INTEGER NOT NULL, batch INTEGER NOT NULL, created_at INTEGER NOT NULL,
     PRIMARY KEY (url, root_mid)) WITHOUT ROWID;
   CREATE INDEX verdicts_created ON verdicts (created_at);
   CREATE TABLE jobs (
     id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches, url TEXT NOT NULL,
     mid INTEGER NOT NULL, rid INTEGER NOT NULL, root_mid INTEGER NOT NULL, recipient TEXT NOT NULL,
     delivery TEXT NOT NULL, action TEXT NOT NULL, profile TEXT, state TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER, detail TEXT NOT NULL DEFAULT '', targets TEXT,
     held TEXT NOT NULL DEFAULT '[]', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
     UNIQUE (mid, rid, url));
   CREATE INDEX jobs_due ON jobs (next_at) WHERE state = 'pending';
   CREATE INDEX jobs_batch ON jobs (batch);
   CREATE INDEX jobs_url ON jobs (url, created_at);
   CREATE INDEX jobs_created ON jobs (created_at);`,
  `ALTER TABLE jobs ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE verdicts ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX jobs_withdrawn ON jobs (id) WHERE withdrawn = 1;
   CREATE INDEX verdicts_url ON verdicts (url);`,
  'CREATE TABLE outbox (id INTEGER PRIMARY KEY, job INTEGER NOT NULL, events TEXT NOT NULL);',
]

interface JobRow {
  readonly id: number
  readonly batch: number
  readonly url: string
  readonly delivery: string
  readonly action: StoredAction
  readonly profile: string | null
  readonly state: StoredJobState
  readonly attempts: number
  readonly next_at: number | null
  readonly detail: string
  readonly targets: string | null
  readonly held: string
  readonly withdrawn: number
  readonly created_at: number
  readonly updated_at: number
}

const readDelivery = (json: string): Delivery => {
  const d = JSON.parse(json) as Omit<Delivery, 'deliveredAt'> & { readonly deliveredAt: string }
  return { ...d, deliveredAt: new Date(d.deliveredAt) }
}

const job = (r: JobRow): StoredJob => ({
  id: r.id,
  batch: r.batch,
  url: r.url,
  delivery: readDelivery(r.delivery),
  action: r.action,
  profile: r.profile,
  state: r.state,
  attempts: r.attempts,
  nextAttemptAt: r.next_at === null ? null : new Date(r.next_at),
  detail: r.detail,
  createdAt: new Date(r.created_at),
  updatedAt: new Date(r.updated_at),
  targets: r.targets === null ? null : (JSON.parse(r.targets) as readonly Target[]),
  held: JSON.parse(r.held) as readonly string[],
  withdrawn: r.withdrawn === 1,
})

/** No retry is put off as far: a time beyond it was set before the clock went back. */
const FURTHEST_MS = 2 * 3600_000
const JOBS = 'SELECT * FROM jobs'
const NOT_APPROVED = 'batch IN (SELECT id FROM batches WHERE approved = 0)'

/** The remediation queue in `<home>/remediation.db`. */
export const createRemediationStore = async (writer: SqliteWriter, path: string): Promise<RemediationStore> => {
  const db = await writer.open(path, MIGRATIONS)
  const batchOf = (key: string): number | undefined =>
    db.get<{ batch: number }>('SELECT batch FROM keys WHERE key = ?', key)?.batch
  return {
    add: async (b) => {
      const at = b.at.getTime()
      const state: StoredJobState = b.heldFor === null ? 'pending' : 'waiting-approval'
      const known = batchOf(b.key)
      if (known !== undefined) return { batch: known, added: 0, fresh: false }
      const mine = '(SELECT batch FROM keys WHERE key = ?)'
      const statements: Statement[] = [
        ...(b.joins === null
          ? [
              {
                sql: 'INSERT INTO batches (url, held_for, created_at) VALUES (?, ?, ?)',
                params: [b.url, b.heldFor, at],
              },
            ]
          : []),
        {
          // A key that another call took meanwhile fails here, and nothing of this batch is kept.
          sql: 'INSERT INTO keys VALUES (?, coalesce(?, (SELECT max(id) FROM batches)), ?)',
          params: [b.key, b.joins, at],
        },
        ...b.rootMids.map((mid) => ({
          sql: `INSERT INTO verdicts (url, root_mid, batch, created_at) VALUES (?, ?, ${mine}, ?) ON CONFLICT DO NOTHING`,
          params: [b.url, mid, b.key, at],
        })),
      ]
      const jobs = b.jobs.map(({ url, delivery: d, action, profile }): Statement => {
        const delivery = JSON.stringify(d)
        const who = [d.mid, d.rid, d.rootMid, d.recipient.toLowerCase(), delivery]
        return {
          sql: `INSERT INTO jobs (batch, url, mid, rid, root_mid, recipient, delivery, action, profile, state, next_at,
                                  detail, created_at, updated_at)
                VALUES (${mine}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (mid, rid, url) DO NOTHING`,
          params: [b.key, url, ...who, action, profile, state, state === 'pending' ? at : null, b.detail, at, at],
        }
      })
      const results = await db.write([...statements, ...jobs])
      const added = results.slice(statements.length).reduce((n, r) => n + r.changes, 0)
      return { batch: batchOf(b.key) ?? 0, added, fresh: true }
    },
    batchOf,
    job: (id) => {
      const row = db.get<JobRow>(`${JOBS} WHERE id = ?`, id)
      return row && job(row)
    },
    list: ({ state = null, batch = null, mid = null }, limit) =>
      db
        .all<JobRow>(
          `${JOBS} WHERE state = coalesce(?, state) AND batch = coalesce(?, batch)
             AND coalesce(?, mid, root_mid) IN (mid, root_mid) ORDER BY id DESC LIMIT ?`,
          state,
          batch,
          mid,
          limit,
        )
        .map(job),
    byDelivery: (mid, rid) => db.all<JobRow>(`${JOBS} WHERE mid = ? AND rid = ?`, mid, rid).map(job),
    due: (now, limit) =>
      db
        .all<JobRow>(
          `${JOBS} WHERE state = 'pending' AND (next_at <= ? OR next_at > ?) ORDER BY next_at, id LIMIT ?`,
          now.getTime(),
          now.getTime() + FURTHEST_MS,
          limit,
        )
        .map(job),
    pending: () => db.get<{ n: number }>(`SELECT count(*) AS n FROM jobs WHERE state = 'pending'`)?.n ?? 0,
    nextDueAt: () => {
      const t = db.get<{ t: number | null }>(`SELECT min(next_at) AS t FROM jobs WHERE state = 'pending'`)?.t ?? null
      return t === null ? null : new Date(t)
    },
    update: async (id, u, news = []) => {
      await db.write([
        {
          sql: `UPDATE jobs SET state = ?, attempts = ?, next_at = ?, detail = ?, targets = ?, held = ?, updated_at = ?
                WHERE id = ?`,
          params: [
            u.state,
            u.attempts,
            u.nextAttemptAt?.getTime() ?? null,
            u.detail,
            u.targets === null ? null : JSON.stringify(u.targets),
            JSON.stringify(u.held),
            u.at.getTime(),
            id,
          ],
        },
        ...(news.length === 0
          ? []
          : [{ sql: 'INSERT INTO outbox (job, events) VALUES (?, ?)', params: [id, JSON.stringify(news)] }]),
      ])
    },
    untold: (limit) =>
      db
        .all<{ job: number; events: string }>('SELECT job, events FROM outbox ORDER BY id LIMIT ?', limit)
        .map((row) => ({ job: row.job, events: JSON.parse(row.events) as readonly RemediationEvent[] })),
    told: async (jobs) => {
      await db.write([
        { sql: 'DELETE FROM outbox WHERE job IN (SELECT value FROM json_each(?))', params: [JSON.stringify(jobs)] },
      ])
    },
    approve: async (batch, at) => {
      const [, released] = await db.write([
        {
          sql: `UPDATE batches SET approved = 1, held_for = NULL WHERE id = ?
                AND EXISTS (SELECT 1 FROM jobs WHERE batch = batches.id AND state = 'waiting-approval')`,
          params: [batch],
        },
        {
          sql: `UPDATE jobs SET state = 'pending', next_at = ?, updated_at = ? WHERE batch = ? AND state = 'waiting-approval'`,
          params: [at.getTime(), at.getTime(), batch],
        },
      ])
      return released?.changes ?? 0
    },
    deny: async (batch, detail, at) => {
      // A batch with nothing that waits stays as it is: what was withdrawn of it must wait again, not run.
      const [, , denied] = await db.write([
        // Nothing joins it any more.
        {
          sql: `UPDATE batches SET held_for = NULL WHERE id = ?
                AND EXISTS (SELECT 1 FROM jobs WHERE batch = batches.id AND state = 'waiting-approval')`,
          params: [batch],
        },
        {
          sql: `UPDATE jobs SET state = 'skipped', detail = ?, updated_at = ? WHERE batch = ? AND state = 'withdrawn'
                AND EXISTS (SELECT 1 FROM jobs w WHERE w.batch = jobs.batch AND w.state = 'waiting-approval')`,
          params: [detail, at.getTime(), batch],
        },
        {
          sql: `UPDATE jobs SET state = 'skipped', detail = ?, updated_at = ? WHERE batch = ? AND state = 'waiting-approval'`,
          params: [detail, at.getTime(), batch],
        },
      ])
      return denied?.changes ?? 0
    },
    turn: async (url, withdrawn, at) => {
      const t = at.getTime()
      const [, flagged] = await db.write([
        { sql: 'UPDATE verdicts SET withdrawn = ? WHERE url = ?', params: [withdrawn ? 1 : 0, url] },
        {
          sql: 'UPDATE jobs SET withdrawn = ? WHERE url = ? AND withdrawn <> ?',
          params: [withdrawn ? 1 : 0, url, withdrawn ? 1 : 0],
        },
        withdrawn
          ? {
              sql: `UPDATE jobs SET state = 'withdrawn', next_at = NULL, updated_at = ?
                    WHERE url = ? AND state IN ('pending', 'waiting-approval')`,
              params: [t, url],
            }
          : {
              sql: `UPDATE jobs SET updated_at = ?,
                      state = CASE WHEN (SELECT held_for FROM batches b WHERE b.id = jobs.batch) IS NULL
                                   THEN 'pending' ELSE 'waiting-approval' END,
                      next_at = CASE WHEN (SELECT held_for FROM batches b WHERE b.id = jobs.batch) IS NULL
                                     THEN ? ELSE NULL END
                    WHERE url = ? AND state = 'withdrawn'`,
              params: [t, t, url],
            },
      ])
      return flagged?.changes ?? 0
    },
    withdrawnOf: (url) =>
      db.get<WithdrawnCounts>(
        `SELECT count(*) FILTER (WHERE held <> '[]') AS back,
                count(*) FILTER (WHERE state = 'done' AND held = '[]') AS forwarded,
                count(*) FILTER (WHERE state = 'withdrawn') AS stopped
         FROM jobs WHERE url = ? AND withdrawn = 1`,
        url,
      ) ?? { back: 0, forwarded: 0, stopped: 0 },
    offered: (limit) =>
      db
        .all<JobRow>(
          `${JOBS} WHERE withdrawn = 1 AND state <> 'pending' AND held <> '[]' ORDER BY id DESC LIMIT ?`,
          limit,
        )
        .map(job),
    messagesOf: (url, since) =>
      db.get<{ n: number }>(
        `SELECT count(DISTINCT root_mid) AS n FROM jobs WHERE url = ? AND created_at > ? AND ${NOT_APPROVED}`,
        url,
        since.getTime(),
      )?.n ?? 0,
    mailboxesSince: (since) =>
      db
        .all<{ recipient: string }>(
          `SELECT DISTINCT recipient FROM jobs WHERE created_at > ? AND state <> 'waiting-approval' AND ${NOT_APPROVED}`,
          since.getTime(),
        )
        .map((r) => r.recipient),
    waitingBatch: (reason, since) =>
      db.get<{ id: number }>(
        `SELECT id FROM batches WHERE held_for = ? AND approved = 0 AND created_at > ? ORDER BY id DESC LIMIT 1`,
        reason,
        since.getTime(),
      )?.id,
    verdicts: (since, limit) =>
      db
        .all<{ url: string; root_mid: number; batch: number }>(
          'SELECT url, root_mid, batch FROM verdicts WHERE created_at > ? AND withdrawn = 0 ORDER BY created_at DESC LIMIT ?',
          since.getTime(),
          limit,
        )
        .map((v) => ({ url: v.url, rootMid: v.root_mid, batch: v.batch })),
    prune: async (before) => {
      const t = before.getTime()
      const [jobs] = await db.write([
        { sql: `DELETE FROM jobs WHERE updated_at < ? AND state NOT IN ('waiting-approval', 'pending')`, params: [t] },
        { sql: 'DELETE FROM verdicts WHERE created_at < ?', params: [t] },
        { sql: 'DELETE FROM keys WHERE created_at < ?', params: [t] },
        {
          sql: `DELETE FROM batches WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.batch = batches.id)`,
          params: [t],
        },
      ])
      return jobs?.changes ?? 0
    },
  }
}
