import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FirstSeenStore, IntelStore } from '../../store/repositories/intel.ts'
import type { SqliteDatabase, SqliteWriter } from './database.ts'
import { sqliteDevices } from './intel-devices.ts'
import { sqliteObserved } from './intel-observed.ts'
import { sqliteChanges, sqliteOpinions } from './intel-opinions.ts'
import { sqliteOlder } from './intel-older.ts'
import { sqliteRetros } from './intel-retros.ts'
import { INTEL_MIGRATIONS } from './intel-schema.ts'

const SINCE = 'first_seen_since'

const firstSeen = (db: SqliteDatabase): FirstSeenStore => ({
  since: () => {
    const row = db.get<{ value: number }>('SELECT value FROM facts WHERE name = ?', SINCE)
    return row ? new Date(row.value) : null
  },
  seen: (domain) => {
    const row = db.get<{ at: number }>('SELECT at FROM first_seen WHERE domain = ?', domain)
    return row ? new Date(row.at) : null
  },
  note: async (domains, at) => {
    await db.write([
      { sql: 'INSERT INTO facts VALUES (?, ?) ON CONFLICT DO NOTHING', params: [SINCE, at.getTime()] },
      ...domains.map((d) => ({
        sql: 'INSERT INTO first_seen VALUES (?, ?, ?) ON CONFLICT (domain) DO UPDATE SET last_at = excluded.last_at',
        params: [d, at.getTime(), at.getTime()],
      })),
    ])
  },
  prune: async (lastBefore) => {
    await db.write([{ sql: 'DELETE FROM first_seen WHERE last_at < ?', params: [lastBefore.getTime()] }])
  },
})

/** The intelligence service's tables in one database file, readable for its owner only: it holds secrets' hashes. */
export const createIntelStore = async (writer: SqliteWriter, path: string): Promise<IntelStore> => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
  const db = await writer.open(path, INTEL_MIGRATIONS)
  return {
    opinions: sqliteOpinions(db),
    changes: sqliteChanges(db),
    devices: sqliteDevices(db),
    observed: sqliteObserved(db),
    retro: sqliteRetros(db),
    firstSeen: firstSeen(db),
    older: sqliteOlder(db),
  }
}
