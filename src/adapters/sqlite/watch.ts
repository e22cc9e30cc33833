import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type {
  NewRetrospection,
  PendingWatch,
  Retrospection,
  RetrospectionState,
  StoredRegistration,
  WatchStore,
} from '../../store/repositories/watch.ts'
import type { SqliteWriter, Statement } from './database.ts'

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE messages (
     root_mid INTEGER PRIMARY KEY, email_id TEXT NOT NULL UNIQUE, message_id TEXT, created_at INTEGER NOT NULL);
   CREATE TABLE watched (
     root_mid INTEGER NOT NULL REFERENCES messages, url TEXT NOT NULL, state TEXT NOT NULL,
     since INTEGER NOT NULL, PRIMARY KEY (root_mid, url)) WITHOUT ROWID;
   CREATE INDEX watched_pending ON watched (since) WHERE state = 'pending';
   CREATE INDEX watched_since ON watched (state, since);
   CREATE TABLE retrospections (
     id INTEGER PRIMARY KEY, email_id TEXT NOT NULL, url TEXT NOT NULL, root_mid INTEGER, message_id TEXT,
     verdict_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, state TEXT NOT NULL, UNIQUE (email_id, url));
   CREATE INDEX retrospections_open ON retrospections (id) WHERE state IN ('new', 'told');
   CREATE INDEX retrospections_seen ON retrospections (seen_at);
   CREATE TABLE service (
     id INTEGER PRIMARY KEY CHECK (id = 1), token TEXT, region_uri TEXT, register_url TEXT, polled_to INTEGER);
   INSERT INTO service (id) VALUES (1);`,
  'ALTER TABLE service ADD COLUMN clock_offset INTEGER;',
  // A watch that lasts longer than the service keeps one is submitted again; `since` stays its beginning.
  `ALTER TABLE watched ADD COLUMN renewed_at INTEGER;
   CREATE INDEX watched_renewed ON watched (coalesce(renewed_at, since)) WHERE state = 'submitted';`,
  // `withdrawn`: the latest turn; `turn_open`: it was not handed on yet.
  `ALTER TABLE retrospections ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE retrospections ADD COLUMN turn_open INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX retrospections_turns ON retrospections (id) WHERE turn_open = 1;`,
]

interface WatchedRow {
  readonly root_mid: number
  readonly email_id: string
  readonly message_id: string | null
  readonly url: string
  readonly state: string
  readonly since: number
}

interface RetrospectionRow extends Omit<WatchedRow, 'state' | 'since'> {
  readonly id: number
  readonly verdict_at: number
  readonly state: RetrospectionState
  readonly withdrawn: number
}

interface ServiceRow {
  readonly token: string | null
  readonly region_uri: string | null
  readonly register_url: string | null
  readonly polled_to: number | null
  readonly clock_offset: number | null
}

const retrospection = (r: RetrospectionRow): Retrospection => ({
  id: r.id,
  emailId: r.email_id,
  url: r.url,
  rootMid: r.root_mid,
  messageId: r.message_id,
  verdictAt: new Date(r.verdict_at),
  state: r.state,
})

/** The database holds the service's token: it is made readable for its owner only, whatever the umask. */
const ownerOnly = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

/** The watch journal in `<home>/retro.db`. */
export const createWatchStore = async (writer: SqliteWriter, path: string): Promise<WatchStore> => {
  ownerOnly(path)
  const db = await writer.open(path, MIGRATIONS)
  const service = (): ServiceRow =>
    db.get<ServiceRow>('SELECT token, region_uri, register_url, polled_to, clock_offset FROM service') as ServiceRow
  const setState = (state: string, item: Pick<PendingWatch, 'rootMid' | 'url'>, at: Date | null): Statement => ({
    sql: 'UPDATE watched SET state = ?, since = coalesce(?, since) WHERE root_mid = ? AND url = ?',
    params: [state, at?.getTime() ?? null, item.rootMid, item.url],
  })
  return {
    watch: async (items, at) => {
      const results = await db.write(
        items.flatMap((i): Statement[] => [
          {
            sql: 'INSERT INTO messages VALUES (?, ?, ?, ?) ON CONFLICT (root_mid) DO NOTHING',
            params: [i.rootMid, i.emailId, i.messageId, at.getTime()],
          },
          {
            sql: `INSERT INTO watched (root_mid, url, state, since) VALUES (?, ?, 'pending', ?) ON CONFLICT DO NOTHING`,
            params: [i.rootMid, i.url, at.getTime()],
          },
        ]),
      )
      return results.reduce((n, r, i) => (i % 2 === 1 ? n + r.changes : n), 0)
    },
    pending: (limit) =>
      db
        .all<WatchedRow>(
          `SELECT w.root_mid, w.url, m.email_id FROM watched w JOIN messages m USING (root_mid)
           WHERE w.state = 'pending' ORDER BY w.since LIMIT ?`,
          limit,
        )
        .map((r) => ({ rootMid: r.root_mid, emailId: r.email_id, url: r.url })),
    submitted: async (items, at) => {
      await db.write(items.map((i) => setState('submitted', i, at)))
    },
    renewals: (before, limit) =>
      db
        .all<WatchedRow>(
          `SELECT w.root_mid, w.url, m.email_id FROM watched w JOIN messages m USING (root_mid)
           WHERE w.state = 'submitted' AND coalesce(w.renewed_at, w.since) < ?
           ORDER BY coalesce(w.renewed_at, w.since) LIMIT ?`,
          before.getTime(),
          limit,
        )
        .map((r) => ({ rootMid: r.root_mid, emailId: r.email_id, url: r.url })),
    renewed: async (items, at) => {
      const sql = 'UPDATE watched SET renewed_at = ? WHERE root_mid = ? AND url = ?'
      await db.write(items.map((i) => ({ sql, params: [at.getTime(), i.rootMid, i.url] })))
    },
    refused: async (item) => {
      await db.write([setState('refused', item, null)])
    },
    urls: (emailId) =>
      db
        .all<{ url: string }>(
          'SELECT w.url FROM messages m JOIN watched w USING (root_mid) WHERE m.email_id = ?',
          emailId,
        )
        .map((r) => r.url),
    find: (emailId, url) => {
      const r = db.get<WatchedRow>(
        `SELECT w.*, m.email_id, m.message_id FROM messages m JOIN watched w USING (root_mid)
         WHERE m.email_id = ? AND w.url = ?`,
        emailId,
        url,
      )
      return r
        ? {
            rootMid: r.root_mid,
            messageId: r.message_id,
            emailId: r.email_id,
            url: r.url,
            submittedAt: r.state === 'submitted' ? new Date(r.since) : null,
          }
        : undefined
    },
    counts: () => {
      const rows = db.all<{ state: string; n: number }>('SELECT state, count(*) AS n FROM watched GROUP BY state')
      const n = (state: string): number => rows.find((r) => r.state === state)?.n ?? 0
      return { watched: n('submitted'), pending: n('pending') }
    },
    record: async (items, at) => {
      const results = await db.write(
        items.map((i) => ({
          sql: `INSERT INTO retrospections (email_id, url, root_mid, message_id, verdict_at, seen_at, state)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (email_id, url) DO NOTHING`,
          params: [i.emailId, i.url, i.rootMid, i.messageId, i.verdictAt.getTime(), at.getTime(), i.state],
        })),
      )
      return items.filter((_: NewRetrospection, i) => (results[i]?.changes ?? 0) > 0)
    },
    turned: async (items) => {
      await db.write(
        items.map((i) => ({
          sql: `UPDATE retrospections SET withdrawn = ?, turn_open = 1, verdict_at = ?
                WHERE email_id = ? AND url = ? AND state <> 'ignored' AND withdrawn <> ? AND verdict_at <= ?`,
          params: [
            i.withdrawn ? 1 : 0,
            i.verdictAt.getTime(),
            i.emailId,
            i.url,
            i.withdrawn ? 1 : 0,
            i.verdictAt.getTime(),
          ],
        })),
      )
    },
    turns: (limit) =>
      db
        .all<RetrospectionRow>('SELECT * FROM retrospections WHERE turn_open = 1 ORDER BY id LIMIT ?', limit)
        .map((r) => ({ ...retrospection(r), withdrawn: r.withdrawn === 1 })),
    turnsHandled: async (turns) => {
      const sql = `UPDATE retrospections SET turn_open = 0 WHERE (id, withdrawn) IN (
                     SELECT value ->> 0, value ->> 1 FROM json_each(?))`
      const pairs = turns.map(({ id, withdrawn }) => [id, withdrawn ? 1 : 0])
      await db.write([{ sql, params: [JSON.stringify(pairs)] }])
    },
    unhandled: (limit) =>
      db
        .all<RetrospectionRow>(`SELECT * FROM retrospections WHERE state IN ('new', 'told') ORDER BY id LIMIT ?`, limit)
        .map(retrospection),
    mark: async (ids, state) => {
      await db.write(
        ids.map((id) => ({ sql: 'UPDATE retrospections SET state = ? WHERE id = ?', params: [state, id] })),
      )
    },
    registration: () => {
      const { token, region_uri, register_url } = service()
      return token === null || region_uri === null || register_url === null
        ? null
        : { token, regionUri: region_uri, registerUrl: register_url }
    },
    register: async (r: StoredRegistration | null) => {
      await db.write([
        {
          sql: 'UPDATE service SET token = ?, region_uri = ?, register_url = ?',
          params: [r?.token ?? null, r?.regionUri ?? null, r?.registerUrl ?? null],
        },
      ])
    },
    polledTo: () => {
      const { polled_to } = service()
      return polled_to === null ? null : new Date(polled_to)
    },
    setPolledTo: async (at, offset) => {
      await db.write([{ sql: 'UPDATE service SET polled_to = ?, clock_offset = ?', params: [at.getTime(), offset] }])
    },
    clockOffset: () => service().clock_offset,
    prune: async (before) => {
      const t = before.getTime()
      const [urls] = await db.write([
        { sql: 'DELETE FROM watched WHERE since < ?', params: [t] },
        { sql: `DELETE FROM retrospections WHERE seen_at < ? AND state IN ('done', 'ignored')`, params: [t] },
        {
          sql: `DELETE FROM messages WHERE created_at < ?
                AND NOT EXISTS (SELECT 1 FROM watched w WHERE w.root_mid = messages.root_mid)`,
          params: [t],
        },
      ])
      return urls?.changes ?? 0
    },
  }
}
