import { existsSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Fault } from '../../core/errors.ts'
import type { LogScanner, LogSearch } from '../../logs/ports.ts'
import type { GrepTask } from './grep-worker.ts'
import { lineFilter, scanFiles } from './log-scan.ts'

/** Searches at one time; more wait for their turn. */
const MAX_THREADS = 4
/** Answers on their way, of a chunk each: whoever prints slowly makes the search wait. */
const WINDOW = 8
const LIMITS = { maxOldGenerationSizeMb: 128 }

/** Built next to the bundle; when the sources run (vitest), the build of the global set-up is used. */
const workerFile = (): URL => {
  const beside = new URL('./grep-worker.js', import.meta.url)
  return existsSync(beside) ? beside : new URL('../../../dist/grep-worker.js', import.meta.url)
}

/**
 * What a thread sends, until it sends null, ends, or the signal ends it. It listens from the call on: an error of a thread
 * that nobody listens to ends the process.
 */
const answers = (worker: Worker, signal: AbortSignal): AsyncGenerator<readonly string[]> => {
  const queue: (readonly string[] | null)[] = []
  let failure: unknown = null
  let wake: () => void = () => undefined
  const woken = (): void => wake()
  worker.on('message', (lines: readonly string[] | null) => {
    queue.push(lines)
    wake()
  })
  worker.on('error', (error) => {
    failure = error
    wake()
  })
  return (async function* () {
    signal.addEventListener('abort', woken, { once: true })
    try {
      for (;;) {
        if (signal.aborted) return
        const lines = queue.shift()
        if (lines === null) return
        if (lines !== undefined) yield lines
        else if (failure !== null) throw new Fault('INTERNAL', 'The search of the log failed.', { cause: failure })
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', woken)
    }
  })()
}

/** Room for `MAX_THREADS`; the others come in the order in which they asked. */
const createTurnstile = () => {
  let inside = 0
  let waiting: (() => void)[] = []
  return {
    /** False: the signal came before there was room. */
    enter: async (signal: AbortSignal): Promise<boolean> => {
      if (signal.aborted) return false
      if (inside < MAX_THREADS) {
        inside++
        return true
      }
      return await new Promise<boolean>((resolve) => {
        const gone = (): void => {
          waiting = waiting.filter((one) => one !== admitted)
          resolve(false)
        }
        const admitted = (): void => {
          signal.removeEventListener('abort', gone)
          resolve(true)
        }
        signal.addEventListener('abort', gone, { once: true })
        waiting.push(admitted)
      })
    },
    /** Whoever waits longest takes the room that is left. */
    leave: (): void => {
      const next = waiting.shift()
      if (next === undefined) inside--
      else next()
    },
  }
}

/**
 * Each search in a thread of its own: neither its patterns nor the size of its files hold up mail or other sessions, and
 * ending the thread stops it at once.
 */
export const createLogScanner = (): LogScanner => {
  const turnstile = createTurnstile()
  const open = (wish: LogSearch, paths: readonly string[] | null) => {
    const credit = new Int32Array(new SharedArrayBuffer(4))
    credit[0] = WINDOW
    const workerData: GrepTask = { wish, paths, credit }
    return { worker: new Worker(workerFile(), { workerData, resourceLimits: LIMITS, execArgv: [] }), credit }
  }
  return {
    async *scan(paths, wish, signal) {
      if (!(await turnstile.enter(signal))) return
      try {
        const { worker, credit } = open(wish, paths)
        try {
          for await (const lines of answers(worker, signal)) {
            yield lines
            Atomics.add(credit, 0, 1)
            Atomics.notify(credit, 0)
          }
        } finally {
          await worker.terminate()
        }
      } finally {
        turnstile.leave()
      }
    },
    async *filter(batches, wish, signal) {
      const { worker } = open(wish, null)
      try {
        const hits = answers(worker, signal)
        for await (const batch of batches) {
          worker.postMessage(batch)
          const answer = await hits.next()
          if (answer.done === true) return
          if (answer.value.length > 0) yield answer.value
        }
      } finally {
        await worker.terminate()
      }
    },
  }
}

/** The same on the calling thread: for unit tests and one-shot tools, never for the appliance. */
export const inlineLogScanner = (): LogScanner => ({
  async *scan(paths, wish, signal) {
    for (const lines of scanFiles(paths, wish)) {
      if (signal.aborted) return
      if (lines.length > 0) yield lines
      await turn()
    }
  },
  async *filter(batches, wish, signal) {
    const hits = lineFilter(wish)
    for await (const batch of batches) {
      if (signal.aborted) return
      const lines = hits(batch)
      if (lines.length > 0) yield lines
    }
  },
})
