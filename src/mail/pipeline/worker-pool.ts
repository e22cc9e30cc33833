import { Worker } from 'node:worker_threads'
import type { Clock } from '../../core/clock.ts'
import { startTimer } from '../../core/deadline.ts'
import { Fault } from '../../core/errors.ts'
import type { ScanAnswer, ScanTask } from './scan-task.ts'
import type { WorkerAnswer } from './scan-worker.ts'

export interface WorkerPoolDeps {
  /** The built scan-worker entry. */
  readonly workerFile: string
  readonly threads: number
  /** Of one task, from the moment a worker begins it; the worker is ended when it takes longer. */
  readonly deadlineMs: number
  readonly clock: Clock
}

interface Job {
  readonly task: ScanTask
  readonly resolve: (value: ScanAnswer[ScanTask['kind']]) => void
  readonly reject: (error: unknown) => void
  given: boolean
}

interface Thread {
  readonly worker: Worker
  /** Tasks that the worker has begun since it started; it writes, we read. */
  readonly begun: Int32Array
  /** In the order in which the worker takes them. */
  readonly jobs: Job[]
  /** Tasks answered since it started. */
  answered: number
  /** What `begun` was when the deadline was last set. */
  seen: number
  ready: boolean
  cancel: () => void
}

/** Tasks handed over together: what a thread costs to wake is shared, and no message waits long behind others. */
const BATCH = 16
const HEAP_MB = 512
/** Looks at a worker with several tasks within one deadline: it may overrun by this part of it. */
const LOOKS = 4

/**
 * Threads that do tasks on hostile content. Tasks go over in groups and answers come back in groups; each task has its own
 * deadline all the same, because the worker counts what it begins in shared memory.
 */
export const createWorkerPool = (deps: WorkerPoolDeps) => {
  const { clock, deadlineMs } = deps
  const waiting: Job[] = []
  const threads = new Set<Thread>()
  let closed = false
  let scheduled = false

  const fail = (thread: Thread, error: unknown): void => {
    threads.delete(thread)
    thread.cancel()
    void thread.worker.terminate()
    // The last one begun failed. Nothing is known of those beside it: another thread does them.
    const jobs = thread.jobs.splice(0)
    const failed = jobs.splice(Math.max(0, Atomics.load(thread.begun, 0) - thread.answered - 1), 1)
    waiting.unshift(...jobs)
    failed[0]?.reject(error)
    if (!thread.ready) for (const job of waiting.splice(0)) job.reject(error)
    soon()
  }

  const watch = (thread: Thread, ms: number, waited: number): void => {
    thread.cancel()
    thread.cancel = startTimer(clock, ms, () => {
      const begun = Atomics.load(thread.begun, 0)
      const late = begun === thread.seen && waited + ms >= deadlineMs
      if (late) return fail(thread, new Fault('TIMED_OUT', `no answer within ${deadlineMs / 1000} s`))
      const spent = begun === thread.seen ? waited + ms : 0
      thread.seen = begun
      watch(thread, Math.min(deadlineMs / LOOKS, deadlineMs - spent), spent)
    })
  }

  const give = (thread: Thread): void => {
    if (!thread.ready || thread.jobs.length > 0) return
    const share = Math.ceil(waiting.length / deps.threads)
    const jobs = waiting.splice(0, Math.min(BATCH, share))
    if (jobs.length === 0) return
    for (const job of jobs) job.given = true
    thread.jobs.push(...jobs)
    thread.seen = thread.answered + 1
    watch(thread, jobs.length === 1 ? deadlineMs : deadlineMs / LOOKS, 0)
    thread.worker.postMessage(jobs.map((job) => job.task))
  }

  const answered = (thread: Thread, answers: readonly WorkerAnswer[]): void => {
    for (const answer of answers) {
      const job = thread.jobs.shift()
      thread.answered++
      if ('value' in answer) job?.resolve(answer.value)
      else job?.reject(new Error(answer.error))
    }
    if (thread.jobs.length > 0) return
    thread.cancel()
    give(thread)
  }

  const start = (): void => {
    const shared = new SharedArrayBuffer(4)
    const worker = new Worker(deps.workerFile, {
      workerData: shared,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    const thread: Thread = {
      worker,
      begun: new Int32Array(shared),
      jobs: [],
      answered: 0,
      seen: 0,
      ready: false,
      cancel: () => undefined,
    }
    threads.add(thread)
    worker.on('message', (answers: readonly WorkerAnswer[]) => {
      if (thread.ready) return answered(thread, answers)
      thread.ready = true
      give(thread)
    })
    worker.on('error', (error) => fail(thread, error))
    worker.on('exit', () => {
      if (threads.has(thread)) fail(thread, new Fault('INTERNAL', 'the scan worker has ended'))
    })
  }

  const pump = (): void => {
    scheduled = false
    if (closed) return
    for (const thread of threads) give(thread)
    const idle = [...threads].filter((t) => !t.ready).length
    if (waiting.length > idle && threads.size < deps.threads) start()
  }

  /** What comes in one turn of the event loop goes over together. */
  const soon = (): void => {
    if (scheduled || closed || waiting.length === 0) return
    scheduled = true
    setImmediate(pump)
  }

  return {
    run: async <K extends ScanTask['kind']>(
      task: Extract<ScanTask, { kind: K }>,
      signal: AbortSignal,
    ): Promise<ScanAnswer[K]> => {
      signal.throwIfAborted()
      if (closed) throw new Fault('INTERNAL', 'the scan workers are stopped')
      let abort = (): void => undefined
      try {
        return (await new Promise<ScanAnswer[ScanTask['kind']]>((resolve, reject) => {
          const job: Job = { task, resolve, reject, given: false }
          abort = () => {
            if (!job.given) waiting.splice(waiting.indexOf(job), 1)
            reject(signal.reason as Error)
          }
          signal.addEventListener('abort', abort, { once: true })
          waiting.push(job)
          soon()
        })) as ScanAnswer[K]
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    close: async (): Promise<void> => {
      closed = true
      const error = new Fault('INTERNAL', 'the scan workers are stopped')
      for (const job of waiting.splice(0)) job.reject(error)
      const all = [...threads]
      threads.clear()
      for (const thread of all) {
        thread.cancel()
        for (const job of thread.jobs.splice(0)) job.reject(error)
      }
      await Promise.all(all.map(({ worker }) => worker.terminate()))
    },
  }
}
