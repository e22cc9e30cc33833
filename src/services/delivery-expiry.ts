import { bounceProfiles } from '../config/sections/bounce-profiles.ts'
import { delivery } from '../config/sections/delivery.ts'
import type { ConfigReader } from '../config/section.ts'
import { errorText, Fault } from '../core/errors.ts'
import type { DeliveryQueue, QueuedRecipient, SpoolStore } from '../store/spool.ts'
import type { Attempt, DeliverySettlement } from './delivery-settlement.ts'
import type { createDestinations } from './destinations.ts'

const BATCH = 100
const LOOK_EVERY_MS = 1000

/** Messages that grew too old are given up whatever their host does. */
export const createDeliveryExpiry = (deps: {
  readonly config: ConfigReader
  readonly spool: SpoolStore & DeliveryQueue
  readonly settlement: DeliverySettlement
  readonly destinations: ReturnType<typeof createDestinations>
  /** Something of our own went wrong: nothing is given up until then. */
  readonly fault: (error: unknown) => number
}) => {
  const { config, spool, settlement, destinations } = deps
  let lookedAt = -Infinity
  let pausedUntil = 0

  const giveUp = async (mid: number, rows: readonly QueuedRecipient[]): Promise<void> => {
    const entry = spool.entry(mid)
    if (!entry) return
    const failure = (row: QueuedRecipient): Attempt => {
      const response = row.lastError ?? 'never attempted'
      return { row, result: { ok: false, permanent: true, code: '000', status: '5.4.7', response } }
    }
    try {
      await settlement.settle(entry, await spool.body(mid), rows.map(failure), { dcid: 0, local: false })
    } catch (error) {
      if (error instanceof Fault && error.code === 'STORE_CORRUPT') return await spool.setAside(mid, errorText(error))
      pausedUntil = deps.fault(error)
    }
  }

  const giveUpAll = async (rows: readonly QueuedRecipient[]): Promise<void> => {
    for (const mid of new Set(rows.map((r) => r.mid)))
      await giveUp(
        mid,
        rows.filter((r) => r.mid === mid),
      )
    for (const row of rows) destinations.release(row.domain, [row])
  }

  return {
    /** When the next look makes sense although nothing else happens; null = no pause. */
    pausedUntil: (now: number): number | null => (pausedUntil > now ? pausedUntil : null),
    /** Null when nothing is too old. */
    start: (at: number): Promise<void> | null => {
      if (at < pausedUntil || Math.abs(at - lookedAt) < LOOK_EVERY_MS) return null
      lookedAt = at
      // Shorter lives of a bounce profile end when their messages are tried.
      const lives = config.get(bounceProfiles).map((p) => p.maxQueueSeconds)
      const maxQueueSeconds = Math.max(config.get(delivery).maxQueueSeconds, ...lives)
      const old = spool.expired(new Date(at - maxQueueSeconds * 1000), BATCH)
      const rows = old.filter((r) => !destinations.claimed(r))
      if (rows.length === 0) return null
      for (const row of rows) destinations.claim(row.domain, [row])
      return giveUpAll(rows)
    },
  }
}
