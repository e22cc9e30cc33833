import { pyRepr } from '../../../core/python.ts'
import type { ConnectionEvent } from '../../../events/connection.ts'
import { info, line, to, toMailLogs, warning } from '../../line.ts'
import type { LogTable } from '../../line.ts'

/** ICID lines. SBRS is the intelligence service's score of the address. */
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
        line`SBRS ${e.reputation ?? 'not enabled'} country ${e.country ?? 'not enabled'}`,
    ),
  ),
  'connection.reject-delayed': toMailLogs((e) =>
    info(line`ICID ${e.icid} Delayed HAT REJECT continuing session for recipient logging (${e.remoteAddress})`),
  ),
  'connection.tls-missing': toMailLogs((e) =>
    info(line`ICID ${e.icid} TLS was required but remote host did not initiate it`),
  ),
  'connection.auth': toMailLogs((e) =>
    info(
      line`SMTP Auth: (ICID ${e.icid}) ${e.ok ? 'succeeded' : 'failed'} for user: ${e.user} ` +
        line`using AUTH mechanism: ${e.mechanism} with profile: local`,
    ),
  ),
  'connection.auth-missing': toMailLogs((e) =>
    info(line`SMTP Auth (ICID ${e.icid}) was required but remote host did not initiate it`),
  ),
  'connection.sender-refused': toMailLogs((e) =>
    info(line`ICID ${e.icid} Address: <${e.sender}> sender rejected, envelope sender domain ${e.why}`),
  ),
  'connection.sender-exception': toMailLogs((e) =>
    info(
      line`ICID ${e.icid} Address: <${e.sender}> sender ${e.allowed ? 'allowed' : 'rejected'}, envelope sender matched domain exception`,
    ),
  ),
  'connection.early-talker': toMailLogs((e) =>
    info(
      line`ICID ${e.icid} early talker: ${e.bytes} bytes before the greeting, ${e.rejected ? 'rejected' : 'accepted'}`,
    ),
  ),
  'connection.harvest': toMailLogs((e) => {
    const what = e.dropped ? 'Dropping connection due to potential' : 'Potential'
    const host = `(${pyRepr(e.remoteAddress)}, ${e.reverseHost === null ? 'None' : pyRepr(e.reverseHost)})`
    return warning(
      line`${what} Directory Harvest Attack from host=${host}, dst=${e.interfaceAddress}, ` +
        line`sender_group=${e.senderGroup ?? 'None'}, listener=${e.listener}, ` +
        line`reverse_dns=${e.reverseHost ?? 'unknown'}, sender=${e.sender}, recipients=${e.recipients}`,
    )
  }),
  'connection.expired': toMailLogs((e) =>
    info(line`ICID ${e.icid} disconnected address ${e.remoteAddress}, exceeded allowable connection time`),
  ),
  'connection.tls': toMailLogs((e) => {
    const name = e.clientName === undefined ? '' : line` CN: ${e.clientName}`
    return info(line`ICID ${e.icid} TLS success protocol ${e.protocol} cipher ${e.cipher}` + name)
  }),
  'connection.tls-failed': toMailLogs((e) => info(line`ICID ${e.icid} TLS failed: ${e.error}`)),
  'connection.unknown-command': toMailLogs((e) => info(line`ICID ${e.icid} Unknown command: ${e.command}`)),
  'connection.receiving-failed': toMailLogs((e) => info(line`ICID ${e.icid} Receiving Failed: ${e.reason}`)),
  'connection.closed': [
    // AsyncOS's time-out line claims that nothing was injected, which the event does not say.
    to('mail_logs', (e) => (e.how === 'timeout' ? info(line`ICID ${e.icid} timed out waiting for the client`) : null)),
    to('mail_logs', (e) => info(line`ICID ${e.icid} ${e.how === 'lost' ? 'lost' : 'close'}`)),
  ],
}
