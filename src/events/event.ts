import type { AccessEvent } from './access.ts'
import type { AuthenticationEvent } from './authentication.ts'
import type { ConnectionEvent } from './connection.ts'
import type { DeliveryEvent } from './delivery.ts'
import type { MessageEvent } from './message.ts'
import type { RemediationEvent } from './remediation.ts'
import type { RetrospectionEvent } from './retrospection.ts'
import type { SdrEvent } from './sdr.ts'
import type { SystemEvent } from './system.ts'
import type { UrlReputationEvent } from './url-reputation.ts'

/**
 * The closed union of facts. Log lines, tracking rows, counters and alerts are renderings of these and of nothing else.
 * An event is published after the fact: never for an intention.
 */
export type ApplianceEvent =
  | AccessEvent
  | AuthenticationEvent
  | ConnectionEvent
  | DeliveryEvent
  | MessageEvent
  | RemediationEvent
  | RetrospectionEvent
  | SdrEvent
  | SystemEvent
  | UrlReputationEvent

export type EventType = ApplianceEvent['type']
export type EventOf<K extends EventType> = Extract<ApplianceEvent, { readonly type: K }>
