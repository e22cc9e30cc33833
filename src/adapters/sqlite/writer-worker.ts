import { parentPort, workerData } from 'node:worker_threads'
import { WriteEngine } from './engine.ts'
import type { Batch, DurableFile, SqlValue, Statement, StatementResult, WriteOptions } from './engine.ts'

/**
 * The writer worker: the only thread that writes to SQLite and syncs the spool. What arrives while one group is being
 * committed forms the next group, so that concurrency buys speed.
 */
export type WriterRequest =
  | { readonly id: number; readonly kind: 'open'; readonly path: string; readonly migrations: readonly string[] }
  | { readonly id: number; readonly kind: 'close' }
  /** What came in one turn of the main thread. */
  | {
      readonly kind: 'batches'
      /** The numbering of texts begins anew. */
      readonly forget: boolean
      readonly texts: readonly string[]
      readonly batches: readonly PackedBatch[]
    }

/** A batch on its way between the threads: SQL texts go over once, then by number. */
export interface PackedBatch {
  readonly id: number
  readonly database: number
  /** By turns the number of a text and its parameters (or the integers of a bulk write). */
  readonly statements: readonly (number | readonly SqlValue[] | NonNullable<Statement['bulk']>)[]
  readonly files?: readonly DurableFile[]
}

/** A statement that brought no rows is only its number of changes. */
export type PackedResult = number | StatementResult

export interface WriterReply {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

const packed = (result: StatementResult): PackedResult => (result.rows.length === 0 ? result.changes : result)

const port = parentPort
if (port) {
  const engine = new WriteEngine(workerData as WriteOptions)
  let texts: string[] = []
  let pending: { readonly id: number; readonly batch: Batch }[] = []
  let scheduled = false
  const flush = (): void => {
    scheduled = false
    const group = pending
    pending = []
    if (group.length === 0) return
    // Answered database by database: those who wait for the first do not wait for the others' syncs.
    for (const database of new Set(group.map(({ batch }) => batch.database))) {
      const own = group.filter(({ batch }) => batch.database === database)
      const outcomes = engine.run(own.map(({ batch }) => batch))
      port.postMessage(
        own.map(({ id }, i): WriterReply => {
          const outcome = outcomes[i]
          if (outcome?.ok) return { id, value: outcome.results.map(packed) }
          return { id, error: { code: outcome?.code ?? 'SQLITE_ERROR', message: outcome?.message ?? 'no outcome' } }
        }),
      )
    }
  }
  const unpacked = ({ id, database, statements: list, files }: PackedBatch) => {
    const statements: Statement[] = []
    for (let i = 0; i < list.length; i += 2) {
      const sql = texts[list[i] as number] ?? ''
      const given = list[i + 1] as readonly SqlValue[] | NonNullable<Statement['bulk']>
      statements.push('width' in given ? { sql, bulk: given } : { sql, params: given })
    }
    return { id, batch: { database, statements, ...(files ? { files } : {}) } }
  }
  port.on('message', (request: WriterRequest) => {
    if (request.kind === 'batches') {
      if (request.forget) texts = []
      texts.push(...request.texts)
      pending.push(...request.batches.map(unpacked))
      // setImmediate runs after every message that is already waiting, so one commit takes them all.
      if (!scheduled) setImmediate(flush)
      scheduled = true
      return
    }
    flush()
    try {
      const value = request.kind === 'open' ? engine.open(request.path, request.migrations) : engine.close()
      port.postMessage([{ id: request.id, value } satisfies WriterReply])
      if (request.kind === 'close') port.close()
    } catch (error) {
      const { code = 'SQLITE_ERROR', message = String(error) } = error as { code?: string; message?: string }
      port.postMessage([{ id: request.id, error: { code, message } } satisfies WriterReply])
    }
  })
}
