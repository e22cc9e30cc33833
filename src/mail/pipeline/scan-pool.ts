import type { Piscina } from 'piscina'
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { errorText, Fault } from '../../core/errors.ts'
import { SCAN_LIMITS } from '../message/limits.ts'
import { unscannable } from '../message/part-text.ts'
import { countMatches } from './count.ts'
import type { ScanAnswer, ScanTask } from './scan-task.ts'
import type { Scanner } from './scanner.ts'

export interface ScanPoolDeps {
  /** The built scan-worker entry. */
  readonly workerFile: string
  readonly threads: number
  /** Of one message, from the moment a worker has it; the worker is ended when it takes longer. */
  readonly deadlineMs: number
  readonly clock: Clock
}

export interface ScanPool extends Scanner {
  close(): Promise<void>
}

/** Text that is searched on the main thread: below this a thread costs more than the search. */
const INLINE_CHARACTERS = 16_384
const HEAP_MB = 512

/** Lets `limit` at a time through, in order of arrival. */
const createGate = (limit: number) => {
  const waiting: (() => void)[] = []
  let free = limit
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** The worker threads that read hostile mail. They start with the first message, so a start of the appliance stays quick. */
export const createScanPool = (deps: ScanPoolDeps): ScanPool => {
  const gate = createGate(deps.threads)
  let pool: Promise<Piscina> | undefined

  const start = async (): Promise<Piscina> => {
    const { Piscina: Pool } = await import('piscina')
    return new Pool({
      filename: deps.workerFile,
      minThreads: 1,
      maxThreads: deps.threads,
      idleTimeout: 60_000,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
  }

  /** The gate admits as many tasks as there are threads, so the deadline never counts time in a queue. */
  const run = <K extends ScanTask['kind']>(
    task: Extract<ScanTask, { kind: K }>,
    signal: AbortSignal,
  ): Promise<ScanAnswer[K]> =>
    gate(async () => {
      pool ??= start()
      const workers = await pool
      return withDeadline(deps.clock, deps.deadlineMs, signal, async (either) => {
        try {
          return (await workers.run(task, { signal: either })) as ScanAnswer[K]
        } catch (error) {
          // The pool's own words for an abort say nothing of why.
          throw either.aborted ? either.reason : error
        }
      })
    })

  return {
    scan: async (raw, urls, signal) => {
      try {
        return await run<'scan'>({ kind: 'scan', raw, urls }, signal)
      } catch (error) {
        if (signal.aborted) throw error
        const late = error instanceof Fault && error.code === 'TIMED_OUT'
        const reason = late ? `the scan took longer than ${deps.deadlineMs / 1000} s` : errorText(error)
        return unscannable(raw, SCAN_LIMITS, reason)
      }
    },
    edit: async (raw, edits, maxUrls, signal) => {
      const bytes = await run<'edit'>({ kind: 'edit', raw, edits, maxUrls }, signal)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    },
    count: async (pattern, texts, enough, signal) => {
      const size = texts.reduce((n, t) => n + t.length, 0)
      if (size <= INLINE_CHARACTERS) return countMatches(pattern, texts, enough)
      return run<'count'>({ kind: 'count', pattern, texts, enough }, signal)
    },
    close: async () => {
      const workers = await pool
      await workers?.destroy()
    },
  }
}
