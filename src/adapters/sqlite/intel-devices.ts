import type { DeviceStore, RetroStore, SubmittedUrl } from '../../store/repositories/intel.ts'
import type { SqliteDatabase } from './database.ts'

export const sqliteDevices = (db: SqliteDatabase): DeviceStore => ({
  enrol: async (serial, secretHash, at) => {
    await db.write([
      { sql: 'DELETE FROM tokens WHERE serial = ?', params: [serial] },
      {
        sql: `INSERT INTO devices (serial, secret_hash, enrolled_at) VALUES (?, ?, ?) ON CONFLICT (serial)
              DO UPDATE SET secret_hash = excluded.secret_hash, enrolled_at = excluded.enrolled_at`,
        params: [serial, secretHash, at.getTime()],
      },
    ])
  },
  revoke: async (serial) => {
    const [result] = await db.write([{ sql: 'DELETE FROM devices WHERE serial = ?', params: [serial] }])
    return (result?.changes ?? 0) > 0
  },
  secretHash: (serial) =>
    db.get<{ secret_hash: string }>('SELECT secret_hash FROM devices WHERE serial = ?', serial)?.secret_hash ?? null,
  serials: () => db.all<{ serial: string }>('SELECT serial FROM devices ORDER BY serial').map((r) => r.serial),
  putToken: async (hash, serial, orgId, expiresAt) => {
    await db.write([
      { sql: 'UPDATE devices SET org_id = ? WHERE serial = ?', params: [orgId, serial] },
      { sql: 'INSERT INTO tokens VALUES (?, ?, ?)', params: [hash, serial, expiresAt.getTime()] },
    ])
  },
  token: (hash) => {
    const row = db.get<{ serial: string; org_id: string; expires_at: number }>(
      'SELECT t.serial, d.org_id, t.expires_at FROM tokens t JOIN devices d USING (serial) WHERE t.hash = ?',
      hash,
    )
    return row ? { serial: row.serial, orgId: row.org_id, expiresAt: new Date(row.expires_at) } : null
  },
  pruneTokens: async (before) => {
    await db.write([{ sql: 'DELETE FROM tokens WHERE expires_at < ?', params: [before.getTime()] }])
  },
})

/** `www.example.com` → `com.example.www.`: everything below a domain is one range of the index. */
const reversed = (host: string): string =>
  /^[\d.]+$|^\[/.test(host) ? `${host}.` : `${host.split('.').reverse().join('.')}.`

interface SubmissionRow {
  readonly id: number
  readonly serial: string
  readonly email_id: string
  readonly url: string
}
const toSubmitted = (r: SubmissionRow): SubmittedUrl => ({
  id: r.id,
  serial: r.serial,
  emailId: r.email_id,
  url: r.url,
})

export const sqliteRetro = (db: SqliteDatabase): RetroStore => ({
  submit: async (serial, items, at) => {
    const results = await db.write(
      items.map((i) => ({
        sql: `INSERT INTO submissions (serial, email_id, url, rev_host, submitted_at) VALUES (?, ?, ?, ?, ?)
              ON CONFLICT DO NOTHING RETURNING id, serial, email_id, url`,
        params: [serial, i.emailId, i.url, reversed(i.host), at.getTime()],
      })),
    )
    return results.flatMap((r) => r.rows.map((row) => toSubmitted(row as unknown as SubmissionRow)))
  },
  count: (serial) => db.get<{ n: number }>('SELECT count(*) AS n FROM submissions WHERE serial = ?', serial)?.n ?? 0,
  open: (since, host, afterId, limit) => {
    const from = host === null ? '' : reversed(host)
    // U+FFFF sorts behind every character of a host name.
    const to = `${from}\uffff`
    return db
      .all<SubmissionRow>(
        `SELECT id, serial, email_id, url FROM submissions
         WHERE retro_at IS NULL AND rev_host >= ? AND rev_host < ? AND submitted_at >= ? AND id > ? ORDER BY id LIMIT ?`,
        from,
        to,
        since.getTime(),
        afterId,
        limit,
      )
      .map(toSubmitted)
  },
  record: async (items) => {
    const results = await db.write(
      items.map((i) => ({
        sql: 'UPDATE submissions SET retro_at = ? WHERE id = ? AND retro_at IS NULL',
        params: [i.at.getTime(), i.id],
      })),
    )
    return results.reduce((n, r) => n + r.changes, 0)
  },
  page: (serial, since, limit) =>
    db
      .all<{ email_id: string; url: string; retro_at: number }>(
        `SELECT email_id, url, retro_at FROM submissions WHERE serial = ? AND retro_at IS NOT NULL AND retro_at >= ?
         ORDER BY retro_at, id LIMIT ?`,
        serial,
        since.getTime(),
        limit,
      )
      .map((r) => ({ emailId: r.email_id, url: r.url, at: new Date(r.retro_at) })),
  prune: async (before) => {
    await db.write([{ sql: 'DELETE FROM submissions WHERE submitted_at < ?', params: [before.getTime()] }])
  },
})
