import type { DeliveryLedger } from '../../store/spool.ts'
import type { SqliteDatabase } from './database.ts'
import { toDelivery } from './spool-rows.ts'
import type { DeliveryRow } from './spool-rows.ts'

/** The record of deliveries in spool.db. Pruning also forgets the keys of `acceptOnce` of that age. */
export const createDeliveryLedger = (db: SqliteDatabase): DeliveryLedger => ({
  byRoot: (rootMid) =>
    db.all<DeliveryRow>('SELECT * FROM delivery WHERE root_mid = ? ORDER BY mid, rid', rootMid).map(toDelivery),
  bySubject: (subject, since) =>
    db
      .all<DeliveryRow>(
        'SELECT * FROM delivery WHERE subject = ? AND delivered_at >= ? ORDER BY mid, rid',
        subject,
        since.getTime(),
      )
      .map(toDelivery),
  mailboxes: () => db.get<{ n: number }>('SELECT count(*) AS n FROM mailbox')?.n ?? 0,
  prune: async (before) => {
    await db.write([
      { sql: 'DELETE FROM delivery WHERE delivered_at < ?', params: [before.getTime()] },
      { sql: 'DELETE FROM once WHERE at < ?', params: [before.getTime()] },
    ])
  },
})
