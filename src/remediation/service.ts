import type { ConfigReader } from '../config/section.ts'
import { remediation } from '../config/sections/remediation.ts'
import { urlFiltering } from '../config/sections/url-filtering.ts'
import { withDeadline } from '../core/deadline.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { defangUrl } from '../core/defang.ts'
import { Fault, UserError, errorText } from '../core/errors.ts'
import { createInTurn } from '../core/in-turn.ts'
import { createSteadyTime } from '../core/steady.ts'
import { printableCut } from '../core/text.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { LogService } from '../logs/ports.ts'
import type { RemediationStore, StoredJob } from '../store/repositories/remediation.ts'
import type { DeliveryLedger } from '../store/spool.ts'
import { enqueueLate, enqueueVerdict } from './enqueue.ts'
import type { MailboxProvider, RemediationService } from './ports.ts'
import { runJob } from './run.ts'

export interface RemediationDeps {
  readonly env: Env
  readonly config: ConfigReader
  readonly events: EventBus
  readonly alerts: AlertService
  readonly logs: Pick<LogService, 'flush'>
  readonly store: RemediationStore
  readonly ledger: DeliveryLedger
  /** By kind of profile. */
  readonly providers: ReadonlyMap<string, MailboxProvider>
}

export interface RemediationRuntime extends RemediationService {
  readonly name: string
  start(config: ConfigReader, signal: AbortSignal): Promise<void>
  stop(graceMs: number): Promise<void>
  /** There is something to do now. */
  wake(): void
  health(): { readonly state: 'up' | 'degraded' | 'down' | 'disabled'; readonly detail?: string; readonly since: Date }
}

const AT_ONCE = 4
/** Jobs of one turn: between two, verdicts are withdrawn, messages put back, and the poller goes on. */
const CHUNK = 16
const LISTED = 1000
/** News told again together. */
const RETOLD = 100
const PROBE_MS = 30_000
const LATE_EVERY_MS = 5 * 60_000
const PRUNE_EVERY_MS = 6 * 3600_000
const DAY_MS = 24 * 3600_000
/** Ended jobs are kept at least as long, so that a repeated verdict finds them. */
const KEPT_DAYS = 60

const allThere = async (provider: MailboxProvider, job: StoredJob, signal: AbortSignal): Promise<boolean> => {
  const copies = Math.max(job.held.length, job.targets?.length ?? 0)
  let there = 0
  for await (const { confirmed } of provider.find(job.delivery, signal)) {
    if (confirmed) there++
    if (there >= copies) return true
  }
  return false
}

/** Mailbox remediation: queue, guard, runner, approval, undo. */
export const createRemediation = (deps: RemediationDeps): RemediationRuntime => {
  const { env, config, events, alerts, store, providers } = deps
  const { clock, entropy } = env
  const steady = createSteadyTime(clock)
  const since = clock.now()
  const enqueueDeps = { ...deps, clock }
  /** One runner at a time: no job is ever in two hands. */
  const inTurn = createInTurn()
  /** The guard counts what is there; two verdicts must not both count before either is in. */
  const inOrder = createInTurn()
  let retold = false
  let wakeUp = new AbortController()
  let running: { readonly control: AbortController; readonly loops: Promise<unknown> } | null = null

  const providerOf = (name: string): MailboxProvider | undefined => {
    const profile = config.get(remediation).profiles.find((p) => p.name === name)
    const provider = profile && providers.get(profile.kind)
    return provider?.forProfile ? provider.forProfile(name) : provider
  }

  const tell = (fault: unknown): void =>
    events.publish({
      type: 'system.fault',
      code: fault instanceof Fault ? fault.code : 'INTERNAL',
      where: 'mailbox remediation',
      error: errorText(fault),
      reference: uuid(entropy).slice(0, 8),
    })

  /** What was published is forgotten when it stands in the log files. */
  const told = async (jobs: readonly number[]): Promise<void> => {
    await deps.logs.flush()
    await store.told(jobs)
  }

  /** What an earlier process stored and perhaps did not live to tell. */
  const retell = async (): Promise<void> => {
    if (retold) return
    for (let news = store.untold(RETOLD); news.length > 0; news = store.untold(RETOLD)) {
      for (const event of news.flatMap((n) => n.events)) events.publish(event)
      await told(news.map((n) => n.job))
    }
    retold = true
  }

  /** Some of what is due. Resolves false when nothing was. */
  const runChunk = async (signal: AbortSignal): Promise<boolean> => {
    signal.throwIfAborted()
    await retell()
    const due = store.due(clock.now(), CHUNK)
    if (due.length === 0) return false
    const { maxAttempts } = config.get(remediation)
    const runDeps = { ...deps, provider: providerOf, maxAttempts, forwardTo: config.get(urlFiltering).marForwardTo }
    // Two verdicts may name the same copy: one after the other, so that the second sees what the first did.
    const copies = new Map<string, StoredJob[]>()
    for (const job of due) {
      const copy = `${job.delivery.mid} ${job.delivery.rid}`
      copies.set(copy, [...(copies.get(copy) ?? []), job])
    }
    const queue = copies.values()
    const worker = async (): Promise<void> => {
      for (const jobs of queue) for (const job of jobs) await runJob(job, runDeps, signal)
    }
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))
    await told(due.map((j) => j.id))
    const failed = ends.find((e) => e.status === 'rejected')
    if (failed) throw failed.reason
    return true
  }

  /** Chunk by chunk: who waits for a turn has it between two. */
  const runDue = async (signal: AbortSignal): Promise<void> => {
    while (await inTurn(() => runChunk(signal)));
  }

  const wake = (): void => {
    wakeUp.abort()
    wakeUp = new AbortController()
  }

  const runLoop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      const woken = wakeUp.signal
      await inOrder(() => enqueueLate(enqueueDeps)).catch(tell)
      await runDue(signal).catch((error: unknown) => {
        signal.throwIfAborted()
        tell(error)
      })
      const next = store.nextDueAt()
      const wait = next === null ? LATE_EVERY_MS : Math.max(1000, next.getTime() - clock.now().getTime())
      await clock.sleep(Math.min(wait, LATE_EVERY_MS), AbortSignal.any([signal, woken])).catch(() => undefined)
      signal.throwIfAborted()
    }
  }

  const pruneLoop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(PRUNE_EVERY_MS, signal)
      const { holdDays } = config.get(remediation)
      const now = steady.now().getTime()
      try {
        for (const provider of providers.values()) await provider.pruneHeld(new Date(now - holdDays * DAY_MS))
        await store.prune(new Date(now - Math.max(holdDays, KEPT_DAYS) * DAY_MS))
      } catch (error) {
        tell(error)
      }
    }
  }

  return {
    name: 'mailbox_remediation',
    list: (filter = {}) => store.list(filter, LISTED),
    job: (id) => store.job(id),
    pending: () => store.pending(),
    wake,
    enqueue: async (verdict) => {
      const added = await inOrder(() => enqueueVerdict(enqueueDeps, verdict))
      if (added > 0) wake()
      return added
    },
    probe: async (profile, mailbox, signal) => {
      const provider = providerOf(profile)
      if (!provider) return { ok: false, detail: 'There is no such profile.' }
      return await withDeadline(clock, PROBE_MS, signal, (s) => provider.probe(mailbox, s)).catch((error: unknown) => {
        signal.throwIfAborted()
        return { ok: false, detail: errorText(error) }
      })
    },
    drain: async (signal) => {
      await inOrder(() => enqueueLate(enqueueDeps))
      await runDue(signal)
    },
    approve: async (batch, user) => {
      const released = await inOrder(() => store.approve(batch, clock.now()))
      if (released === 0) throw new UserError(`Batch ${batch} does not wait for approval. See "remediation list".`)
      events.publish({ type: 'remediation.approved', batch, user })
      wake()
      return released
    },
    deny: async (batch, user) => {
      const denied = await inOrder(() => store.deny(batch, `denied by ${user}`, clock.now()))
      if (denied === 0) throw new UserError(`Batch ${batch} does not wait for approval. See "remediation list".`)
      events.publish({ type: 'remediation.denied', batch, user })
      return denied
    },
    offered: () => store.offered(LISTED),
    turn: async (url, withdrawn) => {
      // Between two runs: no job is changed while it is acted on.
      const changed = await inTurn(() => inOrder(() => store.turn(url, withdrawn, clock.now())))
      if (changed === 0) return
      if (!withdrawn) return wake()
      const { back, forwarded, stopped } = store.withdrawnOf(url)
      events.publish({ type: 'remediation.withdrawn', url, back, forwarded, stopped })
      alerts.raise({
        class: 'Remediation',
        severity: 'Information',
        text:
          `The malicious verdict of ${printableCut(defangUrl(url), 500)} was withdrawn. ` +
          `Deleted messages that can be put back: ${back}. Forwarded messages, which cannot be undone: ${forwarded}. ` +
          `Not remediated any more: ${stopped}.` +
          (back > 0 ? ` See 'remediation list withdrawn', then 'remediation undo withdrawn'.` : ''),
      })
    },
    undo: async (id, user, signal) => {
      await inTurn(async () => {
        const job = store.job(id)
        if (!job) throw new UserError(`There is no remediation job ${id}. See "remediation list".`)
        if (job.state === 'done' && job.action === 'forward')
          throw new UserError(`Job ${id} forwarded the message. That cannot be undone.`)
        if (job.held.length === 0) throw new UserError(`Job ${id} has deleted nothing that could be put back.`)
        if (job.state === 'pending') throw new UserError(`Job ${id} has not ended. Try again when it has.`)
        const provider = job.profile === null ? undefined : providerOf(job.profile)
        if (!provider) throw new UserError(`The mailbox profile of job ${id} does not exist any more.`)
        let left = job.held
        let back = 0
        let trouble: string | null = null
        let gone = true
        for (const held of job.held) {
          const outcome = await provider.undo(held, job.delivery, signal)
          if (outcome.status !== 'done') {
            trouble = outcome.detail
            gone &&= outcome.status === 'not-found'
            continue
          }
          back += 1
          left = left.filter((h) => h !== held)
          // Noted one by one: what comes next may fail, and is asked for again alone.
          if (left.length > 0) await store.update(id, { ...job, nextAttemptAt: null, held: left, at: clock.now() })
        }
        // An undo that died before it could be recorded has put them back: that all copies are there is the evidence.
        if (
          trouble !== null &&
          !(gone && (await withDeadline(clock, PROBE_MS, signal, (s) => allThere(provider, job, s)).catch(() => false)))
        )
          throw new UserError(
            back === 0
              ? `Job ${id} could not be undone: ${trouble}`
              : `Job ${id}: ${back} of ${job.held.length} copies are back, the others could not be put back: ${trouble}`,
          )
        const detail = `put back by ${user}`
        const { mid, recipient } = job.delivery
        const news = { type: 'remediation.undone', mid, recipient, user } as const
        const at = clock.now()
        await store.update(id, { ...job, state: 'undone', detail, nextAttemptAt: null, held: [], at }, [news])
        events.publish(news)
        await told([id])
      })
    },
    start: async (_reader, signal) => {
      const control = new AbortController()
      const until = AbortSignal.any([signal, control.signal])
      const loops = Promise.allSettled([runLoop(until), pruneLoop(until)])
      running = { control, loops }
      await Promise.resolve()
    },
    stop: async (graceMs) => {
      if (!running) return
      const { control, loops } = running
      running = null
      control.abort()
      await withDeadline(clock, graceMs, new AbortController().signal, () => loops).catch(() => undefined)
    },
    health: () => ({ state: 'up', detail: `${store.pending()} pending`, since }),
  }
}
