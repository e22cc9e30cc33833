import type { StoredStsPolicy, StsMode, StsPolicyStore } from '../../store/sts-policies.ts'
import type { SqliteDatabase } from './database.ts'

export const STS_MIGRATIONS: readonly string[] = [
  `CREATE TABLE policy (domain TEXT PRIMARY KEY, id TEXT NOT NULL, mode TEXT NOT NULL, mx TEXT NOT NULL,
     fetched_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX policy_fetched ON policy (fetched_at);`,
]

interface Row {
  readonly domain: string
  readonly id: string
  readonly mode: StsMode
  /** Separated by blanks. */
  readonly mx: string
  readonly fetched_at: number
  readonly expires_at: number
}

/** `<home>/db/mta-sts.db`: read once at start. */
export const createStsPolicyStore = (db: SqliteDatabase): StsPolicyStore => ({
  load: (limit) =>
    db
      .all<Row>('SELECT * FROM policy ORDER BY fetched_at DESC LIMIT ?', limit)
      .map(({ domain, id, mode, mx, fetched_at: fetchedAt, expires_at: expiresAt }): StoredStsPolicy => ({
        domain,
        id,
        mode,
        mx: mx.split(' ').filter((m) => m !== ''),
        fetchedAt: new Date(fetchedAt),
        expiresAt: new Date(expiresAt),
      })),
  put: async ({ domain, id, mode, mx, fetchedAt, expiresAt }) => {
    await db.write([
      {
        sql: 'INSERT OR REPLACE INTO policy (domain, id, mode, mx, fetched_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
        params: [domain, id, mode, mx.join(' '), fetchedAt.getTime(), expiresAt.getTime()],
      },
    ])
  },
  remove: async (domains) => {
    await db.write(domains.map((domain) => ({ sql: 'DELETE FROM policy WHERE domain = ?', params: [domain] })))
  },
})
