import type { LogTypeName } from '../../config/sections/log-subscriptions.ts'
import type { LocalTime } from '../../core/localtime.ts'
import type { ApplianceEvent, EventType } from '../../events/event.ts'
import type { LogTable, Route } from '../line.ts'
import type { LogLine } from '../ports.ts'
import { accessLines } from './authentication.ts'
import { ecsLines } from './ecs.ts'
import { authenticationLines } from './mail-logs/authentication.ts'
import { connectionLines } from './mail-logs/connection.ts'
import { deliveryLines } from './mail-logs/delivery.ts'
import { messageLines } from './mail-logs/message.ts'
import { sdrLines } from './mail-logs/sdr.ts'
import { remediationLines } from './remediation.ts'
import { systemLines } from './system.ts'
import { urlReputationLines } from './url-rep-client.ts'

/** The decision for every event of the appliance: which logs, which words. Total over the union, so a new event must decide. */
const LOG_TABLE: LogTable<EventType> = {
  ...accessLines,
  ...connectionLines,
  ...messageLines,
  ...authenticationLines,
  ...sdrLines,
  ...deliveryLines,
  ...remediationLines,
  ...ecsLines,
  ...urlReputationLines,
  ...systemLines,
}

/** The lines that one event writes, in order, each with its log. Pure. */
export const renderEvent = (
  event: ApplianceEvent,
  time: LocalTime,
  /** Logs that nobody has subscribed to are not rendered. */
  wanted: (log: LogTypeName) => boolean = () => true,
): readonly (LogLine & { readonly log: LogTypeName })[] => {
  // The table's entry for this type takes this event; TypeScript cannot correlate the two unions.
  const routes = LOG_TABLE[event.type] as unknown as readonly Route<EventType>[]
  const lines: (LogLine & { readonly log: LogTypeName })[] = []
  for (const route of routes) {
    const rendered = wanted(route.log) ? route.render(event, time) : null
    if (rendered) lines.push({ log: route.log, level: rendered.level, text: rendered.text })
  }
  return lines
}
