import type { ConnectionEvent } from '../../../events/connection.ts'
import { info, line, to, toMailLogs } from '../../line.ts'
import type { LogTable } from '../../line.ts'

/** ICID lines. SBRS and country are services that we do not have: `not enabled`, as an AsyncOS without them writes. */
export const connectionLines: LogTable<ConnectionEvent['type']> = {
  'connection.opened': toMailLogs((e) =>
    info(
      line`New SMTP ICID ${e.icid} interface ${e.interfaceName} (${e.interfaceAddress}) address ${e.remoteAddress} ` +
        line`reverse dns host ${e.reverseHost ?? 'unknown'} verified ${e.reverseVerified ? 'yes' : 'no'}`,
    ),
  ),
  'connection.policy': toMailLogs((e) =>
    info(
      line`ICID ${e.icid} ${e.behaviour} SG ${e.senderGroup ?? 'None'} match ${e.match} ` +
        'SBRS not enabled country not enabled',
    ),
  ),
  'connection.tls': toMailLogs((e) => info(line`ICID ${e.icid} TLS success protocol ${e.protocol} cipher ${e.cipher}`)),
  'connection.tls-failed': toMailLogs((e) => info(line`ICID ${e.icid} TLS failed: ${e.error}`)),
  'connection.unknown-command': toMailLogs((e) => info(line`ICID ${e.icid} Unknown command: ${e.command}`)),
  'connection.receiving-failed': toMailLogs((e) => info(line`ICID ${e.icid} Receiving Failed: ${e.reason}`)),
  'connection.closed': [
    // AsyncOS's time-out line claims that nothing was injected, which the event does not say.
    to('mail_logs', (e) => (e.how === 'timeout' ? info(line`ICID ${e.icid} timed out waiting for the client`) : null)),
    to('mail_logs', (e) => info(line`ICID ${e.icid} ${e.how === 'lost' ? 'lost' : 'close'}`)),
  ],
}
