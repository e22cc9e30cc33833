import { createHash } from 'node:crypto'
import type { Revision, RevisionRecord, RevisionStore } from '../../config/revisions.ts'
import type { SqliteDatabase } from './database.ts'

/** `user_version` steps of config.db; append-only. */
export const REVISION_MIGRATIONS: readonly string[] = [
  `CREATE TABLE revisions (
     number INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     user TEXT NOT NULL,
     comment TEXT NOT NULL,
     kept INTEGER NOT NULL,
     sections TEXT NOT NULL,
     document TEXT NOT NULL,
     sha256 TEXT NOT NULL
   ) STRICT;
   CREATE INDEX revisions_kept ON revisions (number) WHERE kept = 1;
   CREATE TRIGGER revisions_are_never_altered BEFORE UPDATE ON revisions
     BEGIN SELECT RAISE(ABORT, 'a revision is never altered'); END;
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     user TEXT NOT NULL,
     action TEXT NOT NULL,
     revision INTEGER NOT NULL,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE TRIGGER audit_is_never_altered BEFORE UPDATE ON audit
     BEGIN SELECT RAISE(ABORT, 'an audit row is never altered'); END;`,
]

/** Revisions and audit rows beyond these go, oldest first; those that `rollbackconfig` offers stay. */
const MAX_REVISIONS = 1000
const MAX_AUDIT = 10_000
const KEPT_FOR_ROLLBACK = 10

interface Row {
  readonly number: number
  readonly at: number
  readonly user: string
  readonly comment: string
  readonly kept: number
  readonly sections: string
}

const recordOf = (row: Row): RevisionRecord => ({
  number: row.number,
  at: new Date(row.at),
  user: row.user,
  comment: row.comment,
  kept: row.kept === 1,
  sections: row.sections.split(' '),
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const COLUMNS = 'number, at, user, comment, kept, sections'

/** Configuration revisions in `config.db`, opened with `REVISION_MIGRATIONS`. */
export const createRevisionStore = (database: SqliteDatabase): RevisionStore => ({
  append: async (revision, audit) => {
    const { number, user, comment, kept, sections, document } = revision
    const at = revision.at.getTime()
    await database.write([
      {
        sql: `INSERT INTO revisions (${COLUMNS}, document, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        params: [number, at, user, comment, kept ? 1 : 0, sections.join(' '), document, sha256(document)],
      },
      {
        sql: 'INSERT INTO audit (at, user, action, revision, detail) VALUES (?, ?, ?, ?, ?)',
        params: [at, user, audit.action, number, audit.detail],
      },
      {
        sql: `DELETE FROM revisions WHERE number <= ? AND number NOT IN
                (SELECT number FROM revisions WHERE kept = 1 ORDER BY number DESC LIMIT ${KEPT_FOR_ROLLBACK})`,
        params: [number - MAX_REVISIONS],
      },
      { sql: `DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ${MAX_AUDIT}` },
    ])
  },
  list: (limit, keptOnly) =>
    database
      .all<Row>(
        `SELECT ${COLUMNS} FROM revisions ${keptOnly ? 'WHERE kept = 1' : ''} ORDER BY number DESC LIMIT ?`,
        limit,
      )
      .map(recordOf),
  since: (number) =>
    database.all<Row>(`SELECT ${COLUMNS} FROM revisions WHERE number > ? ORDER BY number DESC`, number).map(recordOf),
  read: (number): Revision | undefined => {
    const row = database.get<Row & { readonly document: string; readonly sha256: string }>(
      `SELECT ${COLUMNS}, document, sha256 FROM revisions WHERE number = ?`,
      number,
    )
    return row && { ...recordOf(row), document: sha256(row.document) === row.sha256 ? row.document : null }
  },
})
