import type { LogSubscription, LogTypeName } from '../../config/sections/log-subscriptions.ts'
import { UserError } from '../../core/errors.ts'
import { integer } from '../../core/schema.ts'
import type { Session } from '../command.ts'

export const LOG_TYPE_TITLES: Readonly<Record<LogTypeName, string>> = {
  mail_logs: 'Text Mail Logs',
  ecs: 'ECS Logs',
  url_rep_client: 'URL Reputation Client Logs',
  remediation: 'Remediation Logs',
  system_logs: 'System Logs',
  cli_logs: 'CLI Audit Logs',
  authentication: 'Authentication Logs',
}

export const RETRIEVALS = ['Manual Download', 'Syslog Push'] as const

/** The listing that logconfig, tail, grep, findevent and rollovernow begin with. */
export const logTable = (logs: readonly LogSubscription[]): readonly string[] => [
  'Currently configured logs:',
  '   Log Name          Log Type                   Retrieval             Interval',
  '-'.repeat(81),
  ...logs.map(
    (log, i) =>
      `${`${i + 1}. ${log.name}`.padEnd(20)} ${LOG_TYPE_TITLES[log.type].padEnd(26)} ${RETRIEVALS[log.push === null ? 0 : 1].padEnd(21)} None`,
  ),
]

/** Shows the listing and asks for a number of it. */
export const pickLog = async (
  session: Session,
  question: string,
  logs: readonly LogSubscription[] = session.appliance.logs.subscriptions(),
): Promise<LogSubscription> => {
  if (logs.length === 0) throw new UserError('There are no logs configured. Use "logconfig" to create one.')
  session.print(...logTable(logs))
  const number = await session.ask.field(question, integer(1, logs.length))
  return logs[number - 1] as LogSubscription
}

/** @throws UserError when there is no such log; committed ones only. */
export const logNamed = (session: Session, name: string): LogSubscription => {
  const log = session.appliance.logs.subscription(name)
  if (log) return log
  const names = session.appliance.logs.subscriptions().map((l) => l.name)
  throw new UserError(`There is no log named '${name}'. The logs are: ${names.join(', ')}.`)
}

export const logNames = (session: Session): readonly string[] =>
  session.appliance.logs.subscriptions().map((l) => l.name)
