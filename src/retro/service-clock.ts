import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../events/bus.ts'
import type { WatchStore } from '../store/repositories/watch.ts'
import type { ApiAnswer } from './ports.ts'

/** Network delay and whole seconds of the Date header stay below; the look-back window takes it in its stride. */
const SAME_TIME_MS = 60_000

/**
 * Retrospections bear the service's times. A clock of its own that is behind ours is asked for as much earlier; one that
 * was set meanwhile (by either side) is asked once for everything that may still act, since nobody knows how the time
 * before that was counted.
 */
export interface ServiceClock {
  saw(answer: ApiAnswer): void
  /** Where a query starts, by the service's clock. `furthest`: the earliest verdict that may still act. */
  start(from: Date, furthest: Date): Date
  /** The offset of the last answer, to be kept with a poll that succeeded. */
  offsetMs(): number | null
  /** Everything was asked for. */
  settled(): void
}

export const createServiceClock = ({
  clock,
  events,
  store,
}: {
  readonly clock: Clock
  readonly events: EventBus
  readonly store: WatchStore
}): ServiceClock => {
  let offset = store.clockOffset()
  let stepped = false
  return {
    saw: ({ serverDate }) => {
      if (!serverDate) return
      const now = serverDate.getTime() - clock.now().getTime()
      const known = offset
      if (known !== null && Math.abs(now - known) <= SAME_TIME_MS) return
      if (known !== null) stepped = true
      offset = now
      if (known !== null || Math.abs(now) > SAME_TIME_MS)
        events.publish({ type: 'ecs.clock-skew', seconds: Math.abs(now) > SAME_TIME_MS ? Math.round(now / 1000) : 0 })
    },
    start: (from, furthest) => {
      const behind = offset !== null && offset < -SAME_TIME_MS ? -offset : 0
      return new Date(Math.max(0, (stepped ? furthest : from).getTime() - behind))
    },
    offsetMs: () => offset,
    settled: () => {
      stepped = false
    },
  }
}
