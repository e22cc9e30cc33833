import { errorText, Fault } from '../../core/errors.ts'
import { SCAN_LIMITS } from '../message/limits.ts'
import { unscannable } from '../message/part-text.ts'
import { countMatches } from './count.ts'
import type { Scanner } from './scanner.ts'
import { createWorkerPool } from './worker-pool.ts'
import type { WorkerPoolDeps } from './worker-pool.ts'

export interface ScanPool extends Scanner {
  close(): Promise<void>
}

/** Text that is searched on the main thread: below this a thread costs more than the search. */
const INLINE_CHARACTERS = 16_384

/** The worker threads that read hostile mail. They start with the first message, so a start of the appliance stays quick. */
export const createScanPool = (deps: WorkerPoolDeps): ScanPool => {
  const { run, close } = createWorkerPool(deps)
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
    close,
  }
}
