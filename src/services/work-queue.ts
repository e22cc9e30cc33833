import { setMaxListeners } from 'node:events'
import type { ConfigConsumer } from '../config/section.ts'
import { mailPolicies } from '../config/sections/mail-policies.ts'
import { messageFilters } from '../config/sections/message-filters.ts'
import type { MessageFilter } from '../config/sections/message-filters.ts'
import { startTimer } from '../core/deadline.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { errorText, Fault } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import { contentFilterIssues, messageFilterIssues } from '../mail/filter/program.ts'
import type { Pipeline } from '../mail/pipeline/run.ts'
import type { SpoolStore } from '../store/spool.ts'
import type { Service } from './service.ts'
import type { Suspensions } from './suspensions.ts'

export interface WorkQueueDeps {
  readonly spool: SpoolStore
  readonly pipeline: Pipeline
  readonly env: Env
  readonly events: EventBus
  readonly suspensions: Pick<Suspensions, 'workQueue'>
  /** Messages at work at the same time. */
  readonly concurrency: number
}

export interface WorkQueue extends Service {
  /** New mail was accepted, or a message was released. */
  wake(): void
  /** Runs `act` while no stage works on the message; false, and nothing is done, when one does now. */
  withdraw(mid: number, act: () => Promise<void>): Promise<boolean>
  /** Messages that went into the stages, and came out of them, since the start. */
  passed(): { readonly taken: number; readonly done: number }
}

const IDLE_MS = 10_000
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 300_000

interface Retry {
  readonly attempts: number
  readonly at: number
}

/** Takes accepted messages from the spool through the pipeline; after a restart it goes on with what is there. */
export const createWorkQueue = (deps: WorkQueueDeps): WorkQueue => {
  const { spool, pipeline, events } = deps
  const { clock, entropy } = deps.env
  const active = new Map<number, Promise<void>>()
  const retries = new Map<number, Retry>()
  let since = clock.now()
  let stopping: AbortController | null = null
  let aborting = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let woken = false
  let taken = 0
  let done = 0
  let wakeUp: (() => void) | null = null

  const wake = (): void => {
    woken = true
    wakeUp?.()
  }

  const failed = async (mid: number, error: unknown): Promise<void> => {
    const code = error instanceof Fault ? error.code : 'INTERNAL'
    const text = errorText(error)
    const reference = uuid(entropy).slice(0, 8)
    events.publish({ type: 'system.fault', code, where: `work queue, MID ${mid}`, error: text, reference })
    if (code === 'STORE_CORRUPT') {
      retries.delete(mid)
      await spool.setAside(mid, text)
      return
    }
    const attempts = (retries.get(mid)?.attempts ?? 0) + 1
    const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts, 20), LAST_RETRY_MS)
    retries.set(mid, { attempts, at: clock.monotonic() + delay })
  }

  const work = async (mid: number): Promise<void> => {
    taken++
    try {
      await pipeline.process(mid, aborting.signal)
      retries.delete(mid)
      done++
    } catch (error) {
      // Stopping is no failure: the entry is as it was and is taken up again at the next start.
      if (!aborting.signal.aborted) await failed(mid, error)
    } finally {
      active.delete(mid)
      wake()
    }
  }

  const takeWork = (): void => {
    const room = deps.concurrency - active.size
    if (room <= 0 || deps.suspensions.workQueue() !== null) return
    const now = clock.monotonic()
    // Those at work and those that wait for their next attempt are still in state work.
    const candidates = spool.workMids(active.size + retries.size + room)
    const due = candidates.filter((mid) => !active.has(mid) && (retries.get(mid)?.at ?? 0) <= now)
    for (const mid of due.slice(0, room)) active.set(mid, work(mid))
  }

  const rest = async (signal: AbortSignal): Promise<void> => {
    if (woken || signal.aborted) return
    const next = Math.min(IDLE_MS, ...[...retries.values()].map((r) => Math.max(0, r.at - clock.monotonic())))
    await new Promise<void>((resolve) => {
      const cancel = startTimer(clock, next, () => wakeUp?.())
      const end = (): void => {
        cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      wakeUp = end
      signal.addEventListener('abort', end, { once: true })
    })
    wakeUp = null
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      woken = false
      try {
        takeWork()
      } catch (error) {
        const reference = uuid(entropy).slice(0, 8)
        const where = 'work queue'
        events.publish({ type: 'system.fault', code: 'STORE_BUSY', where, error: errorText(error), reference })
      }
      await rest(signal)
    }
  }

  return {
    name: 'work queue',
    wake,
    passed: () => ({ taken, done }),
    withdraw: async (mid, act) => {
      if (active.has(mid)) return false
      const acting = act()
      active.set(
        mid,
        acting.catch(() => undefined),
      )
      try {
        await acting
        retries.delete(mid)
      } finally {
        active.delete(mid)
        wake()
      }
      return true
    },
    start: async (_config, signal) => {
      since = clock.now()
      stopping = new AbortController()
      aborting = new AbortController()
      // Every message at work listens.
      setMaxListeners(0, aborting.signal)
      loop = run(AbortSignal.any([signal, stopping.signal]))
    },
    stop: async (graceMs) => {
      stopping?.abort()
      await loop
      const timer = new AbortController()
      const grace = clock.sleep(graceMs, timer.signal).catch(() => undefined)
      await Promise.race([Promise.all(active.values()), grace])
      timer.abort()
      aborting.abort()
      await Promise.all(active.values())
    },
    health: () => ({
      state: retries.size === 0 ? 'up' : 'degraded',
      detail: `${active.size} at work, ${retries.size} waiting for another attempt`,
      since,
    }),
  }
}

/** Refuse a commit (or a loaded file) with a filter that cannot run; the pipeline compiles the committed ones itself. */
export const messageFilterConsumer: ConfigConsumer<MessageFilter[]> = {
  section: messageFilters,
  prepare: async (next, _previous, whole) => messageFilterIssues(next, whole),
  apply: async () => undefined,
}

export const contentFilterConsumer: ConfigConsumer<(typeof mailPolicies)['defaults']> = {
  section: mailPolicies,
  prepare: async (_next, _previous, whole) => contentFilterIssues(whole),
  apply: async () => undefined,
}
