import { UserError } from '../core/errors.ts'
import type { Env } from '../core/env.ts'
import type { EventBus } from '../events/bus.ts'
import { destinationHost, redirectedTo } from '../mail/delivery/route.ts'
import type { Failure } from '../mail/delivery/transport.ts'
import type { QueueDepth, QueueView } from '../store/queue.ts'
import type { QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'
import type { QueueHold } from './delivery-queue.ts'
import type { HostFigures, HostOrder, HostRecorder } from './host-statistics.ts'
import { messagesOf, selected } from './queue-selection.ts'
import type { QueueSelection, QueuedMessage } from './queue-selection.ts'
import type { WorkQueue } from './work-queue.ts'

/** What an operator's action on many messages came to. */
export interface QueueOutcome {
  readonly messages: number
  readonly recipients: number
  /** Recipients that were being delivered at that moment and were left alone. */
  readonly busy: number
}

export interface HostRow {
  readonly destination: string
  readonly recipients: number
  readonly figures: HostFigures | null
}

/** The delivery queue in the hands of an operator. Everything acts at once, on what is queued at the start of the call. */
export interface QueueControl {
  /** Message by message, as they are read: a long queue is never held in memory. */
  messages(selection: QueueSelection): AsyncIterable<QueuedMessage>
  delete(selection: QueueSelection, by: string, signal: AbortSignal): Promise<QueueOutcome>
  /** As deleted, with a notification to the sender. */
  bounce(selection: QueueSelection, by: string, signal: AbortSignal): Promise<QueueOutcome>
  redirect(host: string, by: string, signal: AbortSignal): Promise<QueueOutcome>
  /** null = every domain. */
  deliverNow(domain: string | null): Promise<void>
  /** From the work queue or the delivery queue. @throws UserError when it is not there, or at work. */
  remove(mid: number, by: string): Promise<void>
  oldest(): SpoolEntry | undefined
  /** The top destinations by recipients in the queue, or by a figure. */
  top(order: HostOrder | 'recipients', limit: number): readonly HostRow[]
  host(domain: string): { readonly depth: QueueDepth; readonly figures: HostFigures | null }
  /** Destinations with something due or under way. */
  destinations(): number
  worked(): { readonly taken: number; readonly done: number }
}

export interface QueueControlDeps {
  readonly env: Env
  readonly events: EventBus
  readonly spool: SpoolStore
  readonly view: QueueView
  readonly hosts: HostRecorder
  readonly hold: QueueHold
  readonly workQueue: Pick<WorkQueue, 'withdraw' | 'passed'>
}

/** Messages whose bodies are in memory for their notifications at the same time. */
const BOUNCING = 16
/** Messages that are ended together, in one commit and by three statements. */
const ENDING = 1000
const HURRY = 5000

const BOUNCED: Failure = { permanent: true, code: '000', status: '5.0.0', response: 'Bounced by an administrator' }

export const createQueueControl = (deps: QueueControlDeps): QueueControl => {
  const { env, events, spool, view, hosts, hold } = deps

  const end = async (rows: readonly QueuedRecipient[], by: string): Promise<void> => {
    const finished = await spool.discard(rows)
    for (const { mid, rows: own } of messagesOf(rows)) {
      events.publish({ type: 'delivery.deleted', mid, rids: own.map((r) => r.rid), by })
      if (finished.has(mid)) events.publish({ type: 'message.finished', mid })
    }
    for (const { domain } of rows) hosts.deleted(domain, 1)
  }

  /** Runs `act` for the messages of a selection, `together` at a time, with the recipients that nobody works on. */
  const each = async (
    selection: QueueSelection,
    together: number,
    signal: AbortSignal,
    act: (taken: readonly (readonly [QueuedMessage, readonly QueuedRecipient[]])[]) => Promise<void>,
  ): Promise<QueueOutcome> => {
    const mids = new Set<number>()
    let recipients = 0
    let busy = 0
    let batch: QueuedMessage[] = []
    const flush = async (): Promise<void> => {
      const wanted = batch.flatMap((message) => message.rows)
      const free = hold.take(wanted)
      const ours = new Set(free)
      const taken = batch
        .map((message) => [message, message.rows.filter((row) => ours.has(row))] as const)
        .filter(([, rows]) => rows.length > 0)
      batch = []
      try {
        await act(taken)
        for (const [{ entry }] of taken) mids.add(entry.mid)
        recipients += free.length
        busy += wanted.length - free.length
      } finally {
        hold.give(free)
      }
    }
    for await (const message of selected(spool, view, selection)) {
      if (signal.aborted) break
      batch.push(message)
      if (batch.length === together) await flush()
    }
    if (!signal.aborted) await flush()
    return { messages: mids.size, recipients, busy }
  }

  const removeQueued = async (entry: SpoolEntry, by: string): Promise<void> => {
    const rows = spool.queued(entry.mid)
    const taken = hold.take(rows)
    try {
      if (taken.length < rows.length)
        throw new UserError(`MID ${entry.mid} is being delivered at this moment. Try again.`)
      await end(taken, by)
    } finally {
      hold.give(taken)
    }
  }

  const removeFromWork = async (mid: number, by: string): Promise<void> => {
    const removed = await deps.workQueue.withdraw(mid, async () => {
      if (spool.state(mid)?.kind !== 'work') throw new UserError(`MID ${mid} has left the work queue. Try again.`)
      await spool.replace(mid, [])
      events.publish({ type: 'message.aborted', mid, reason: `Removed by ${by}` })
      events.publish({ type: 'message.finished', mid })
    })
    if (!removed) throw new UserError(`MID ${mid} is being scanned at this moment. Try again.`)
  }

  return {
    messages: (selection) => selected(spool, view, selection),
    delete: (selection, by, signal) =>
      each(selection, ENDING, signal, async (taken) => {
        await end(
          taken.flatMap(([, rows]) => rows),
          by,
        )
      }),
    bounce: (selection, _by, signal) =>
      each(selection, BOUNCING, signal, async (taken) => {
        await Promise.all(
          taken.map(async ([{ entry }, rows]) => hold.fail(entry, await spool.body(entry.mid), rows, BOUNCED)),
        )
      }),
    redirect: (host, by, signal) =>
      each({ kind: 'all' }, ENDING, signal, async (taken) => {
        const destination = redirectedTo(host)
        const rows = taken.flatMap(([, own]) => own)
        await view.redirect(rows, destination, env.clock.now())
        for (const { mid, rows: own } of messagesOf(rows))
          events.publish({ type: 'delivery.redirected', mid, rids: own.map((r) => r.rid), host, by })
      }).finally(() => hold.retry(null)),
    deliverNow: async (domain) => {
      const now = env.clock.now()
      const destinations = domain === null ? [null] : [domain, redirectedTo(domain)]
      for (const destination of destinations) {
        while ((await view.hurry(destination, now, HURRY)) === HURRY) continue
        hold.retry(destination)
      }
    },
    remove: async (mid, by) => {
      const entry = spool.entry(mid)
      const state = spool.state(mid)
      if (!entry || !state) throw new UserError(`MID ${mid} does not exist.`)
      if (state.kind === 'quarantined')
        throw new UserError(`MID ${mid} is in quarantine. Use "quarantine delete ${mid}".`)
      await (state.kind === 'queued' ? removeQueued(entry, by) : removeFromWork(mid, by))
    },
    oldest: () => {
      const mid = view.oldestMid()
      return mid === null ? undefined : spool.entry(mid)
    },
    top: (order, limit) =>
      order === 'recipients'
        ? view.busiest(limit).map((row) => ({ ...row, figures: hosts.of(row.destination) ?? null }))
        : hosts.top(order, limit).map((row) => ({ ...row, recipients: view.depth(row.destination).recipients })),
    host: (domain) => {
      const own = view.depth(domain)
      const redirected = view.depth(redirectedTo(domain))
      const mids = [own.oldestMid, redirected.oldestMid].filter((mid) => mid !== null)
      return {
        depth: {
          recipients: own.recipients + redirected.recipients,
          attempted: own.attempted + redirected.attempted,
          oldestMid: mids.length === 0 ? null : Math.min(...mids),
        },
        figures: hosts.of(domain) ?? hosts.of(redirectedTo(domain)) ?? null,
      }
    },
    destinations: () => hold.destinations(),
    worked: () => deps.workQueue.passed(),
  }
}

/** How a destination is shown: a redirected one says so. */
export const destinationLabel = (destination: string): string => {
  const host = destinationHost(destination)
  return host === destination ? destination : `${host} (redirected)`
}
