import type { DeviceStore } from '../../store/repositories/intel.ts'
import type { SqliteDatabase } from './database.ts'

/** Of one device; with more the oldest end. */
const MAX_TOKENS = 20

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
      {
        sql: `DELETE FROM tokens WHERE serial = ? AND hash IN (
                SELECT hash FROM tokens WHERE serial = ? ORDER BY expires_at DESC, rowid DESC LIMIT -1 OFFSET ${MAX_TOKENS})`,
        params: [serial, serial],
      },
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
