import type { Clock } from '../core/clock.ts'
import type { ApplianceEvent } from './event.ts'

export type EventHandler = (at: Date, event: ApplianceEvent) => void

/** Where facts are published. Handlers run at once, in order of subscription, and must not throw or wait. */
export interface EventBus {
  publish(event: ApplianceEvent): void
  /** Returns the function that unsubscribes. */
  subscribe(handler: EventHandler): () => void
}

export const createEventBus = (clock: Clock): EventBus => {
  const handlers = new Set<EventHandler>()
  return {
    publish: (event) => {
      const at = clock.now()
      for (const handler of handlers) handler(at, event)
    },
    subscribe: (handler) => {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
  }
}
