import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from './better-sqlite3.ts'
import type { Connection, Prepared } from './better-sqlite3.ts'
import { syncDirectory } from './sync-directory.ts'

export type SqlValue = string | number | bigint | Uint8Array | null

export interface Statement {
  readonly sql: string
  readonly params?: readonly SqlValue[]
  /** Runs it once for each group of so many integers, instead of `params`: bulk writes. */
  readonly bulk?: { readonly width: number; readonly values: BigInt64Array }
}

/** A file that must be on stable storage before the transaction that names it commits. */
export interface DurableFile {
  readonly path: string
  readonly bytes: Uint8Array
}

export interface StatementResult {
  readonly changes: number
  readonly lastId: number
  /** Rows of a statement with RETURNING; empty otherwise. */
  readonly rows: readonly Readonly<Record<string, SqlValue>>[]
}

/** All or nothing: its statements commit together, after its files are synced. */
export interface Batch {
  readonly database: number
  readonly statements: readonly Statement[]
  readonly files?: readonly DurableFile[]
}

export type BatchOutcome =
  | { readonly ok: true; readonly results: readonly StatementResult[] }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** Prepared once like all others. */
const BEGIN: Statement = { sql: 'BEGIN IMMEDIATE' }
const COMMIT: Statement = { sql: 'COMMIT' }
const SAVEPOINT: Statement = { sql: 'SAVEPOINT batch' }
const RELEASE: Statement = { sql: 'RELEASE batch' }

/** Tables that come and go (partitions) bring statements of their own. */
export const MAX_STATEMENTS = 1000

const failure = (error: unknown): BatchOutcome => ({
  ok: false,
  code: (error as { code?: string }).code ?? 'SQLITE_ERROR',
  message: error instanceof Error ? error.message : String(error),
})

export interface WriteOptions {
  /** false: nothing is synced, a crash of the machine may lose what was answered. Only the bench measures so. */
  readonly durable: boolean
}

/**
 * Owns the writing connections. `run` puts many batches into one transaction and one sync per database. When one of them is
 * refused, they are done again with a savepoint each, so that it does not undo its neighbours. Runs in the writer worker;
 * inline in tests.
 */
export class WriteEngine {
  readonly #databases: Connection[] = []
  readonly #statements: Map<string, Prepared>[] = []
  readonly #durable: boolean

  constructor({ durable }: WriteOptions = { durable: true }) {
    this.#durable = durable
  }

  /** Opens (and migrates, by `user_version`) a database; the number names it in batches. */
  open(path: string, migrations: readonly string[]): number {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const db = new Database(path)
    db.pragma('journal_mode = WAL')
    // FULL: a commit that returned survives power loss. better-sqlite3's build defaults to NORMAL in WAL mode.
    db.pragma(`synchronous = ${this.#durable ? 'FULL' : 'OFF'}`)
    // A checkpoint syncs the database itself: every 32 MB instead of every 4.
    db.pragma('wal_autocheckpoint = 8000')
    db.pragma('foreign_keys = ON')
    db.pragma('busy_timeout = 5000')
    const version = db.pragma('user_version', { simple: true }) as number
    db.transaction(() => {
      for (const sql of migrations.slice(version)) db.exec(sql)
      db.pragma(`user_version = ${Math.max(version, migrations.length)}`)
    })()
    this.#databases.push(db)
    this.#statements.push(new Map())
    return this.#databases.length - 1
  }

  run(batches: readonly Batch[]): readonly BatchOutcome[] {
    const outcomes = new Array<BatchOutcome>(batches.length)
    for (const [id, db] of this.#databases.entries()) {
      const mine = batches.flatMap((b, i) => (b.database === id ? [i] : []))
      if (mine.length > 0) this.#transaction(db, id, batches, mine, outcomes)
    }
    return outcomes
  }

  #transaction(
    db: Connection,
    id: number,
    batches: readonly Batch[],
    mine: readonly number[],
    outcomes: BatchOutcome[],
  ): void {
    try {
      this.#statement(db, id, BEGIN)
      try {
        for (const i of mine) outcomes[i] = { ok: true, results: this.#execute(db, id, batches[i] as Batch) }
      } catch (error) {
        if (mine.length === 1) throw error
        // Something is refused: again from the start, each batch for itself.
        if (db.inTransaction) db.exec('ROLLBACK')
        this.#statement(db, id, BEGIN)
        for (const i of mine) outcomes[i] = this.#batch(db, id, batches[i] as Batch)
      }
      this.#statement(db, id, COMMIT)
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      for (const i of mine) outcomes[i] = failure(error)
    }
  }

  #execute(db: Connection, id: number, { files = [], statements }: Batch): readonly StatementResult[] {
    for (const file of files) writeFile(file, this.#durable)
    return statements.map((s) => this.#statement(db, id, s))
  }

  #batch(db: Connection, id: number, batch: Batch): BatchOutcome {
    this.#statement(db, id, SAVEPOINT)
    try {
      const results = this.#execute(db, id, batch)
      this.#statement(db, id, RELEASE)
      return { ok: true, results }
    } catch (error) {
      // Disk full can end the whole transaction; then there is no savepoint left and `run` answers for all.
      if (!db.inTransaction) throw error
      db.exec('ROLLBACK TO batch; RELEASE batch')
      return failure(error)
    }
  }

  #statement(db: Connection, id: number, { sql, params = [], bulk }: Statement): StatementResult {
    const cache = this.#statements[id] as Map<string, Prepared>
    let statement = cache.get(sql)
    if (!statement) {
      if (cache.size >= MAX_STATEMENTS) cache.clear()
      cache.set(sql, (statement = db.prepare(sql)))
    }
    if (bulk) return { changes: runBulk(statement, bulk), lastId: 0, rows: [] }
    if (statement.reader)
      return { changes: 0, lastId: 0, rows: statement.all(...params) as Readonly<Record<string, SqlValue>>[] }
    const info = statement.run(...params)
    return { changes: info.changes, lastId: Number(info.lastInsertRowid), rows: [] }
  }

  close(): void {
    for (const db of this.#databases) db.close()
  }
}

const runBulk = (statement: Prepared, { width, values }: NonNullable<Statement['bulk']>): number => {
  let changes = 0
  for (let at = 0; at + width <= values.length; at += width)
    changes += statement.run(...values.subarray(at, at + width)).changes
  return changes
}

const writeFile = ({ path, bytes }: DurableFile, durable: boolean): void => {
  const fd = openSync(path, 'w', 0o600)
  try {
    let offset = 0
    while (offset < bytes.length) offset += writeSync(fd, bytes, offset)
    if (durable) fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  if (durable) syncDirectory(dirname(path))
}
