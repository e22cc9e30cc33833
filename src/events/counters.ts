import type { Clock } from '../core/clock.ts'
import { bounceKind } from './bounce-kind.ts'
import type { BounceKind } from './bounce-kind.ts'
import type { EventBus } from './bus.ts'
import type { ApplianceEvent } from './event.ts'

/** Counters of `status`: since reset, since start, ever. */
export const COUNTER_NAMES = [
  'messagesReceived',
  'recipientsReceived',
  'rejectedRecipients',
  'droppedMessages',
  'softBouncedEvents',
  'completedRecipients',
  'hardBouncedRecipients',
  'dnsHardBounces',
  'refusedHardBounces',
  'expiredHardBounces',
  'otherHardBounces',
  'deliveredRecipients',
  'deletedRecipients',
  'generatedMessages',
] as const
export type CounterName = (typeof COUNTER_NAMES)[number]
export type CounterValues = Readonly<Record<CounterName, number>>

export interface CounterReader {
  readonly lastReset: Date | null
  value(name: CounterName, since: 'reset' | 'uptime' | 'lifetime'): number
  /** Connections that are open now. */
  gauge(name: 'inboundConnections' | 'outboundConnections'): number
  /** Events an hour, averaged over the last 1, 5 or 15 minutes: 100 in one minute are 6,000, 1,200 and 400. */
  rate(name: CounterName, minutes: 1 | 5 | 15): number
  /** The `reset` values count from now. */
  reset(): void
}

/** What survives a restart. */
export interface CounterState {
  readonly lifetime: CounterValues
  /** Lifetime values at the last reset; null = never reset. */
  readonly reset: { readonly at: Date; readonly values: CounterValues } | null
}

export interface CounterStore {
  /** null = a fresh home, or nothing readable. */
  load(): CounterState | null
  save(state: CounterState): void
}

export interface Counting extends CounterReader {
  /** Saves every `SAVE_MS` while something changes, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Saves now and stops counting. */
  close(): void
}

/** A crash loses at most this much of the lifetime values. */
const SAVE_MS = 10_000
const BUCKET_MS = 5000
const BUCKETS = (15 * 60_000) / BUCKET_MS

const zero = (): Record<CounterName, number> =>
  Object.fromEntries(COUNTER_NAMES.map((name) => [name, 0])) as Record<CounterName, number>

const BOUNCES: Readonly<Record<BounceKind, CounterName>> = {
  dns: 'dnsHardBounces',
  refused: 'refusedHardBounces',
  expired: 'expiredHardBounces',
  other: 'otherHardBounces',
}

/** Which counters an event moves, and by how much. */
const increments = (event: ApplianceEvent): readonly (readonly [CounterName, number])[] => {
  switch (event.type) {
    case 'message.ready':
      return [['messagesReceived', 1]]
    case 'message.recipient':
      // icid 0: a message that was made here was not received.
      return event.icid === 0 ? [] : [['recipientsReceived', 1]]
    case 'message.recipient-rejected':
      return [['rejectedRecipients', 1]]
    case 'message.dropped':
      return [['droppedMessages', 1]]
    case 'message.generated':
    case 'delivery.bounce-generated':
      return [['generatedMessages', 1]]
    case 'delivery.delayed':
      return [['softBouncedEvents', 1]]
    case 'delivery.bounced':
    case 'delivery.double-bounced':
      return [
        ['hardBouncedRecipients', 1],
        [BOUNCES[bounceKind(event.status, event.type === 'delivery.bounced' ? event.code : '000')], 1],
        ['completedRecipients', 1],
      ]
    case 'delivery.deleted':
      return [
        ['deletedRecipients', event.rids.length],
        ['completedRecipients', event.rids.length],
      ]
    case 'delivery.done':
      return [
        ['deliveredRecipients', event.rids.length],
        ['completedRecipients', event.rids.length],
      ]
    default:
      return []
  }
}

/** Counts what is published; a rendering of events like every log line. */
export const createCounters = (deps: {
  readonly bus: EventBus
  readonly store: CounterStore
  readonly clock: Clock
}): Counting => {
  const { bus, store, clock } = deps
  const kept = store.load()
  const before = kept?.lifetime ?? zero()
  let reset = kept?.reset ?? null
  const uptime = zero()
  const open = { inboundConnections: 0, outboundConnections: 0 }
  const buckets = COUNTER_NAMES.map((name) => [name, new Float64Array(BUCKETS)] as const)
  const recent = new Map<CounterName, Float64Array>(buckets)
  let newest = Math.floor(clock.monotonic() / BUCKET_MS)
  let changed = false

  const lifetime = (name: CounterName): number => before[name] + uptime[name]
  /** Empties the buckets of the time in which nothing came. */
  const turn = (): number => {
    const now = Math.floor(clock.monotonic() / BUCKET_MS)
    for (let i = Math.max(newest + 1, now - BUCKETS + 1); i <= now; i++)
      for (const ring of recent.values()) ring[i % BUCKETS] = 0
    newest = Math.max(newest, now)
    return newest
  }
  const count = (name: CounterName, by: number): void => {
    uptime[name] += by
    const ring = recent.get(name)
    const at = turn() % BUCKETS
    if (ring) ring[at] = (ring[at] ?? 0) + by
    changed = true
  }
  const values = (): CounterValues =>
    Object.fromEntries(COUNTER_NAMES.map((name) => [name, lifetime(name)])) as CounterValues
  const save = (): void => {
    if (!changed) return
    changed = false
    store.save({ lifetime: values(), reset })
  }

  const unsubscribe = bus.subscribe((_, event) => {
    if (event.type === 'connection.opened') open.inboundConnections++
    else if (event.type === 'connection.closed') open.inboundConnections = Math.max(0, open.inboundConnections - 1)
    else if (event.type === 'delivery.opened') open.outboundConnections++
    else if (event.type === 'delivery.closed') open.outboundConnections = Math.max(0, open.outboundConnections - 1)
    else for (const [name, by] of increments(event)) count(name, by)
  })

  return {
    get lastReset() {
      return reset?.at ?? null
    },
    value: (name, since) => {
      if (since === 'uptime') return uptime[name]
      return lifetime(name) - (since === 'reset' ? (reset?.values[name] ?? 0) : 0)
    },
    gauge: (name) => open[name],
    rate: (name, minutes) => {
      const now = turn()
      const ring = recent.get(name)
      const span = (minutes * 60_000) / BUCKET_MS
      let sum = 0
      for (let i = Math.max(0, now - span + 1); i <= now; i++) sum += ring?.[i % BUCKETS] ?? 0
      return Math.round((sum * 60) / minutes)
    },
    reset: () => {
      reset = { at: clock.now(), values: values() }
      changed = true
      save()
    },
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          await clock.sleep(SAVE_MS, signal)
        } catch {
          return
        }
        save()
      }
    },
    close: () => {
      unsubscribe()
      save()
    },
  }
}
