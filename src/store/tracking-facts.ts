import type { EventBus } from '../events/bus.ts'
import type { ApplianceEvent } from '../events/event.ts'
import type { TrackingFact, TrackingRecorder } from './tracking.ts'

/** What an event says about a message's place in the index; most say nothing. Pure. */
export const trackingFacts = (at: Date, event: ApplianceEvent): readonly TrackingFact[] => {
  switch (event.type) {
    case 'message.started':
      return [{ kind: 'started', mid: event.mid, icid: event.icid, at }]
    case 'message.sender':
      return [{ kind: 'sender', mid: event.mid, text: event.sender }]
    case 'message.recipient':
      return [{ kind: 'recipient', mid: event.mid, rid: event.rid, address: event.recipient }]
    case 'message.id':
      return event.messageId === null ? [] : [{ kind: 'message-id', mid: event.mid, text: event.messageId }]
    case 'message.subject':
      return [{ kind: 'subject', mid: event.mid, text: event.subject }]
    case 'delivery.started':
      // Delivery into the embedded mailboxes has no connection.
      return event.local ? [] : [{ kind: 'delivery', mid: event.mid, dcid: event.dcid }]
    case 'policy.split':
    case 'message.rewritten':
      return [{ kind: 'derived', mid: event.mid, into: event.into }]
    case 'message.generated':
    case 'delivery.bounce-generated':
      return [{ kind: 'derived', mid: event.from, into: event.mid }]
    default:
      return []
  }
}

/** Keeps the index up to date with the events; returns the function that ends it. */
export const recordTracking = (events: EventBus, tracking: Pick<TrackingRecorder, 'record'>): (() => void) =>
  events.subscribe((at, event) => {
    for (const fact of trackingFacts(at, event)) tracking.record(fact)
  })
