import type { AlertClass, AlertSeverity } from '../../config/sections/alerts.ts'
import type { AlertStore } from '../../logs/alerts.ts'
import type { SqliteDatabase } from './database.ts'

export const ALERT_MIGRATIONS: readonly string[] = [
  `CREATE TABLE alert (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, class TEXT NOT NULL, severity TEXT NOT NULL,
     text TEXT NOT NULL) STRICT;`,
]

interface Row {
  readonly at: number
  readonly class: AlertClass
  readonly severity: AlertSeverity
  readonly text: string
}

export const createAlertStore = (db: SqliteDatabase): AlertStore => ({
  load: (limit) =>
    db
      .all<Row>('SELECT at, class, severity, text FROM alert ORDER BY id DESC LIMIT ?', limit)
      .map((row) => ({ ...row, at: new Date(row.at) })),
  add: async (alert, kept) => {
    await db.write([
      {
        sql: 'INSERT INTO alert (at, class, severity, text) VALUES (?, ?, ?, ?)',
        params: [alert.at.getTime(), alert.class, alert.severity, alert.text],
      },
      {
        sql: 'DELETE FROM alert WHERE id <= (SELECT id FROM alert ORDER BY id DESC LIMIT 1 OFFSET ?)',
        params: [kept],
      },
    ])
  },
})
