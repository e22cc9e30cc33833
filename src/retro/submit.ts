import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../events/bus.ts'
import type { PendingWatch, WatchStore } from '../store/repositories/watch.ts'
import type { RetroApi } from './ports.ts'
import { wasTaken } from './answer.ts'
import { ServiceTrouble } from './session.ts'
import type { RetroSession } from './session.ts'

const BATCH = 100
const BATCHES_A_CYCLE = 200
/** So long the service watches what it was given once (docs/intelligence/api.md); a longer watch is given again before. */
const SERVICE_HOURS = 168
const RENEW_HOURS = 144

type Taken = (batch: readonly PendingWatch[], at: Date) => Promise<void>
/** The service took the request and will not have this content, however often it is sent. */
const NEVER = new Set([400, 413])

/**
 * Hands the journalled URLs to the service. A batch that it refuses for its content is halved until the one URL is
 * found that it will not take; that one is dropped with a line, so that it does not hold up the others.
 */
export const submitPending = async (
  deps: {
    readonly clock: Clock
    readonly events: EventBus
    readonly api: RetroApi
    readonly store: WatchStore
    readonly session: RetroSession
  },
  watchHours: number,
  signal: AbortSignal,
): Promise<void> => {
  const { clock, events, api, store, session } = deps
  const failed = (reason: string): void => events.publish({ type: 'ecs.submission-failed', reason })

  const submit = async (batch: readonly PendingWatch[], taken: Taken): Promise<void> => {
    // The watch ends so long after this moment; the service is told the same one.
    const at = clock.now()
    const items = batch.map(({ emailId, url }) => ({ emailId, url, submittedAt: at }))
    try {
      const answer = await session.call((registration, s) => api.submit(registration, items, s), failed, signal)
      if (!wasTaken(answer)) {
        const reason = 'The answer is not that of a retrospective service.'
        failed(reason)
        throw new ServiceTrouble(reason)
      }
    } catch (error) {
      if (!(error instanceof ServiceTrouble) || error.status === null || !NEVER.has(error.status)) throw error
      const [first] = batch
      if (batch.length === 1 && first) {
        await store.refused(first)
        events.publish({ type: 'ecs.ignored', url: first.url, reason: `not taken by the service: ${error.message}` })
        return
      }
      const half = Math.ceil(batch.length / 2)
      await submit(batch.slice(0, half), taken)
      await submit(batch.slice(half), taken)
      return
    }
    await taken(batch, at)
    events.publish({ type: 'ecs.submitted', urls: batch.length })
  }

  for (let n = 0; n < BATCHES_A_CYCLE; n++) {
    const batch = store.pending(BATCH)
    if (batch.length === 0) break
    await submit(batch, (urls, at) => store.submitted(urls, at))
  }
  if (watchHours <= SERVICE_HOURS) return
  const due = new Date(clock.now().getTime() - RENEW_HOURS * 3600_000)
  for (let n = 0; n < BATCHES_A_CYCLE; n++) {
    const batch = store.renewals(due, BATCH)
    if (batch.length === 0) return
    await submit(batch, (urls, at) => store.renewed(urls, at))
  }
}
