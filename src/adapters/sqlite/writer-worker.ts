import { parentPort, workerData } from 'node:worker_threads'
import { WriteEngine } from './engine.ts'
import type { Batch, WriteOptions } from './engine.ts'

/**
 * The writer worker: the only thread that writes to SQLite and syncs the spool. What arrives while one group is being
 * committed forms the next group, so that concurrency buys speed.
 */
export type WriterRequest =
  | { readonly id: number; readonly kind: 'open'; readonly path: string; readonly migrations: readonly string[] }
  | { readonly id: number; readonly kind: 'batch'; readonly batch: Batch }
  | { readonly id: number; readonly kind: 'close' }

export interface WriterReply {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

const port = parentPort
if (port) {
  const engine = new WriteEngine(workerData as WriteOptions)
  let pending: { readonly id: number; readonly batch: Batch }[] = []
  const flush = (): void => {
    const group = pending
    pending = []
    if (group.length === 0) return
    const outcomes = engine.run(group.map((g) => g.batch))
    port.postMessage(
      group.map(({ id }, i): WriterReply => {
        const outcome = outcomes[i]
        if (outcome?.ok) return { id, value: outcome.results }
        return { id, error: { code: outcome?.code ?? 'SQLITE_ERROR', message: outcome?.message ?? 'no outcome' } }
      }),
    )
  }
  port.on('message', (request: WriterRequest) => {
    if (request.kind === 'batch') {
      // setImmediate runs after every message that is already waiting, so one commit takes them all.
      if (pending.push(request) === 1) setImmediate(flush)
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
