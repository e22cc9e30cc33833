import { pyRepr } from '../../core/python.ts'
import type { EventType } from '../../events/event.ts'
import type { SystemEvent } from '../../events/system.ts'
import { critical, info, line, to, warning } from '../line.ts'
import type { LogTable, Route } from '../line.ts'
import type { LogLine } from '../ports.ts'

const toSystem = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [to('system_logs', render)]
const toCli = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [to('cli_logs', render)]
const toBoth = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [
  to('system_logs', render),
  to('mail_logs', render),
]

const SEVERITY: Readonly<Record<'Critical' | 'Warning' | 'Information', (text: string) => LogLine>> = {
  Critical: critical,
  Warning: warning,
  Information: info,
}

/** The store and our own code failing concern the whole appliance; an upstream that is away does not. */
const GRAVE = /^(STORE_|INTERNAL)/

const OUTCOMES = {
  done: 'was done',
  failed: 'failed',
  interrupted: 'was interrupted',
  'end-of-input': 'was left in the middle',
} as const

/** `system_logs` and `cli_logs`; commits and sent alerts stand in mail_logs too, as on AsyncOS. */
export const systemLines: LogTable<SystemEvent['type']> = {
  'system.started': [
    to('system_logs', () => info('System is coming up.')),
    to('system_logs', (e) => info(line`Lychgate ${e.version} runs with PID ${e.pid}`)),
  ],
  'system.stopping': toSystem((e) => info(line`System is going down: ${e.reason}`)),
  'system.committed': toBoth((e) => info(line`PID ${e.pid}: User ${e.user} commit changes: ${e.comment}`)),
  'system.rolled-back': toSystem((e) => warning(line`The commit of user ${e.user} was undone: ${e.reason}`)),
  'system.listening': toSystem((e) => info(line`Listener ${e.listener} listens on ${e.address} port ${e.port}`)),
  'system.listener-closed': toSystem((e) => info(line`Listener ${e.listener} is closed`)),
  'system.fault': toSystem((e) =>
    (GRAVE.test(e.code) ? critical : warning)(
      line`Fault ${e.code} in ${e.where}: ${e.error} (reference ${e.reference})`,
    ),
  ),
  'system.warning': toSystem((e) => warning(line`${e.text}`)),
  'system.operated': toBoth((e) => info(line`User ${e.user}: ${e.text}`)),
  'alert.raised': toSystem((e) => SEVERITY[e.severity](line`A ${e.class}/${e.severity} alert was raised: ${e.text}`)),
  'alert.sent': toBoth((e) =>
    info(line`A ${e.class}/${e.severity} alert was sent to ${e.to} with subject "${e.subject}".`),
  ),
  'intel.source-loaded': toSystem((e) =>
    info(line`Intelligence source ${e.source} was loaded with ${e.indicators} indicators`),
  ),
  'intel.source-failed': toSystem((e) =>
    warning(line`Intelligence source ${e.source} could not be loaded: ${e.error}`),
  ),
  'cli.entered': toCli((e) =>
    info(line`PID ${e.pid}: User ${e.user} entered ${pyRepr(e.entered)}; prompt was ${pyRepr(e.prompt)}`),
  ),
  'cli.ran': toCli((e) =>
    info(line`PID ${e.pid}: User ${e.user} from ${e.from}: ${pyRepr(e.command)} ${OUTCOMES[e.outcome]}`),
  ),
  'cli.login': toCli((e) => info(line`User ${e.user} logged in from ${e.from}`)),
  'cli.logout': toCli((e) => info(line`User ${e.user} logged out from ${e.from}`)),
}
