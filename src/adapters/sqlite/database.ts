import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import Database from './better-sqlite3.ts'
import type { Prepared } from './better-sqlite3.ts'
import { Fault } from '../../core/errors.ts'
import type { FaultCode } from '../../core/errors.ts'
import { MAX_STATEMENTS, WriteEngine } from './engine.ts'
import type { DurableFile, SqlValue, Statement, StatementResult, WriteOptions } from './engine.ts'
import type { PackedBatch, PackedResult, WriterReply, WriterRequest } from './writer-worker.ts'

export type { DurableFile, SqlValue, Statement, StatementResult } from './engine.ts'

/** One database: reads on the calling thread (WAL, never blocked), writes through the writer. */
export interface SqliteDatabase {
  all<T>(sql: string, ...params: readonly SqlValue[]): readonly T[]
  get<T>(sql: string, ...params: readonly SqlValue[]): T | undefined
  iterate<T>(sql: string, ...params: readonly SqlValue[]): IterableIterator<T>
  /**
   * Commits the statements together, after the files are on stable storage; grouped with other writers' batches.
   * @throws Fault STORE_FULL (disk full, read-only or failing), STORE_BUSY, STORE_CORRUPT or INTERNAL; nothing of the batch is kept then.
   */
  write(statements: readonly Statement[], files?: readonly DurableFile[]): Promise<readonly StatementResult[]>
}

export interface SqliteWriter {
  /** `migrations[n]` brings user_version n to n+1; append-only. */
  open(path: string, migrations: readonly string[]): Promise<SqliteDatabase>
  close(): Promise<void>
}

const faultCode = (code: string): FaultCode => {
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return 'STORE_FULL'
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'STORE_BUSY'
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'STORE_CORRUPT'
  // A file system that the kernel made read-only refuses writes to open files: SQLite calls that an I/O error.
  if (/^SQLITE_(READONLY|IOERR|CANTOPEN)/.test(code) || code === 'EROFS' || code === 'EIO') return 'STORE_FULL'
  return 'INTERNAL'
}

const storeFault = (code: string, message: string): Fault => new Fault(faultCode(code), `store: ${message} (${code})`)

const reading = (path: string, write: SqliteDatabase['write']): SqliteDatabase & { close(): void } => {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  db.pragma('busy_timeout = 5000')
  const statements = new Map<string, Prepared>()
  const prepared = (sql: string): Prepared => {
    let statement = statements.get(sql)
    if (!statement) {
      if (statements.size >= MAX_STATEMENTS) statements.clear()
      statements.set(sql, (statement = db.prepare(sql)))
    }
    return statement
  }
  return {
    all: <T>(sql: string, ...params: readonly SqlValue[]) => prepared(sql).all(...params) as T[],
    get: <T>(sql: string, ...params: readonly SqlValue[]) => prepared(sql).get(...params) as T | undefined,
    // A fresh statement: better-sqlite3 refuses to reuse one that is being iterated.
    iterate: <T>(sql: string, ...params: readonly SqlValue[]) =>
      db.prepare(sql).iterate(...params) as IterableIterator<T>,
    write,
    close: () => db.close(),
  }
}

/** Writes on the calling thread: for unit tests and one-shot tools, never for the appliance. */
export const inlineWriter = (options: WriteOptions = { durable: true }): SqliteWriter => {
  const engine = new WriteEngine(options)
  const readers: { close(): void }[] = []
  return {
    open: async (path, migrations) => {
      const database = engine.open(path, migrations)
      const reader = reading(path, async (statements, files) => {
        await Promise.resolve()
        const outcome = engine.run([{ database, statements, ...(files ? { files } : {}) }])[0]
        if (outcome?.ok) return outcome.results
        throw storeFault(outcome?.code ?? 'SQLITE_ERROR', outcome?.message ?? 'no outcome')
      })
      readers.push(reader)
      return reader
    },
    close: async () => {
      for (const r of readers) r.close()
      engine.close()
      await Promise.resolve()
    },
  }
}

/** Built next to the bundle; when the sources run (vitest), the build of the global set-up is used. */
const workerFile = (): URL => {
  const beside = new URL('./writer-worker.js', import.meta.url)
  return existsSync(beside) ? beside : new URL('../../../dist/writer-worker.js', import.meta.url)
}

const NO_PARAMS: readonly SqlValue[] = []

const unpacked = (result: PackedResult): StatementResult =>
  typeof result === 'number' ? { changes: result, lastId: 0, rows: [] } : result

/** Writes in the writer worker thread; the caller's thread only awaits. */
export const workerWriter = (options: WriteOptions = { durable: true }): SqliteWriter => {
  const worker = new Worker(workerFile(), { workerData: options })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  const readers: { close(): void }[] = []
  let lastId = 0
  let dead: Error | null = null
  /** Texts that the worker knows, by number; the newest go over with the next batches. */
  const numbers = new Map<string, number>()
  let texts: string[] = []
  let forget = false
  let batches: PackedBatch[] = []
  const end = (error: Error): void => {
    dead = error
    for (const w of waiting.values()) w.reject(error)
    waiting.clear()
  }
  worker.on('message', (replies: readonly WriterReply[]) => {
    for (const { id, value, error } of replies) {
      const w = waiting.get(id)
      waiting.delete(id)
      if (error) w?.reject(storeFault(error.code, error.message))
      else w?.resolve(value)
    }
  })
  worker.on('error', (error) => end(new Fault('INTERNAL', 'store: the writer worker failed', { cause: error })))
  worker.on('exit', () => end(new Fault('INTERNAL', 'store: the writer worker has ended')))

  const answered = async <T>(id: number): Promise<T> => {
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
    return (await answer) as T
  }
  /** What one turn of the event loop writes goes over together, before anything that is asked later. */
  const send = (): void => {
    if (batches.length === 0 || dead) return
    worker.postMessage({ kind: 'batches', forget, texts, batches } satisfies WriterRequest)
    forget = false
    texts = []
    batches = []
  }
  const startOver = (): void => {
    send()
    numbers.clear()
    texts = []
    forget = true
  }
  const numberOf = (sql: string): number => {
    const known = numbers.get(sql)
    if (known !== undefined) return known
    texts.push(sql)
    numbers.set(sql, numbers.size)
    return numbers.size - 1
  }
  type Body = WriterRequest extends infer R ? (R extends { readonly id: number } ? Omit<R, 'id'> : never) : never
  const ask = async <T>(body: Body): Promise<T> => {
    if (dead) throw dead
    send()
    const id = ++lastId
    worker.postMessage({ ...body, id })
    return await answered<T>(id)
  }
  const write = async (
    database: number,
    statements: readonly Statement[],
    files: readonly DurableFile[] | undefined,
  ): Promise<readonly StatementResult[]> => {
    if (dead) throw dead
    const id = ++lastId
    // A batch has its texts by the same numbering: it begins a new one rather than outgrow the present.
    if (numbers.size + statements.length > MAX_STATEMENTS && statements.some(({ sql }) => !numbers.has(sql)))
      startOver()
    const packed: PackedBatch['statements'][number][] = []
    for (const { sql, params = NO_PARAMS, bulk } of statements) packed.push(numberOf(sql), bulk ?? params)
    if (batches.push({ id, database, statements: packed, ...(files ? { files } : {}) }) === 1) setImmediate(send)
    return (await answered<readonly PackedResult[]>(id)).map(unpacked)
  }
  return {
    open: async (path, migrations) => {
      const database = await ask<number>({ kind: 'open', path, migrations })
      const reader = reading(path, (statements, files) => write(database, statements, files))
      readers.push(reader)
      return reader
    },
    close: async () => {
      for (const r of readers) r.close()
      if (!dead) await ask({ kind: 'close' })
      await worker.terminate()
    },
  }
}
