import { pyRepr } from '../../../core/python.ts'
import type { DeliveryEvent } from '../../../events/delivery.ts'
import type { EventOf } from '../../../events/event.ts'
import { info, line, to, toMailLogs, warning } from '../../line.ts'
import type { LogTable } from '../../line.ts'

const rids = (list: readonly number[]): string => `[${list.join(', ')}]`

interface Failure {
  readonly status: string
  readonly reason: string
  readonly code: string
  readonly responses: readonly string[]
}

/** `5.1.0 - Unknown address error ('550', ['<a>... Relaying denied']) []` */
const failure = (e: Failure): string => line`${e.status} - ${e.reason} (${pyRepr(e.code)}, ${pyRepr(e.responses)}) []`

/** Why TLS is asked for as it is. */
const basisText = ({ basis, domain, host, records }: EventOf<'delivery.tls-basis'>): string => {
  switch (basis) {
    case 'dane':
      return line`DANE: ${records} TLSA record(s) of ${host} decide about its certificate`
    case 'dane-unusable':
      return line`DANE: no TLSA record of ${host} can be used, TLS is required`
    case 'mta-sts':
      return line`MTA-STS: the policy of ${domain} demands a valid certificate of ${host}`
    case 'mta-sts-testing':
      return line`MTA-STS: the policy of ${domain} is tested with ${host}, not enforced`
  }
}

/** DCID lines. Delivery into the embedded mailboxes has an own form, so that it is never taken for an SMTP delivery. */
export const deliveryLines: LogTable<DeliveryEvent['type']> = {
  'delivery.opened': toMailLogs((e) =>
    info(line`New SMTP DCID ${e.dcid} interface ${e.interfaceAddress} address ${e.address} port ${e.port}`),
  ),
  'delivery.tls': toMailLogs((e) =>
    info(
      line`DCID ${e.dcid} TLS success protocol ${e.protocol} cipher ${e.cipher}` +
        (e.verifiedFor === null ? '' : line` for ${e.verifiedFor}`),
    ),
  ),
  'delivery.tls-failed': toMailLogs((e) => info(line`DCID ${e.dcid} TLS failed: ${e.error}`)),
  'delivery.tls-required': toMailLogs((e) =>
    info(line`DCID ${e.dcid} IP ${e.address} TLS was required but could not be successfully negotiated`),
  ),
  'delivery.tls-basis': toMailLogs((e) => info(line`DCID ${e.dcid} ${basisText(e)}`)),
  'delivery.host-left': toMailLogs((e) =>
    info(line`Host ${e.host} of ${e.domain} ${e.testing ? 'would be' : 'is'} left out - ${e.reason}`),
  ),
  'delivery.sts-policy': toMailLogs((e, time) =>
    info(
      line`MTA-STS: policy of ${e.domain} fetched, id ${e.id} mode ${e.mode} mx ${e.mx.join(', ') || 'none'}, ` +
        line`holds till ${time.stamp(e.expiresAt)}`,
    ),
  ),
  'delivery.sts-failed': toMailLogs((e, time) =>
    warning(
      line`MTA-STS: policy of ${e.domain} cannot be fetched - ${e.error}; ` +
        (e.until === null ? 'none is known' : line`the known one holds till ${time.stamp(e.until)}`),
    ),
  ),
  'delivery.authenticated': toMailLogs((e) =>
    info(
      line`DCID: ${e.dcid} IP: ${e.address} SMTP authentication using the profile ${e.user} ${e.ok ? 'succeeded' : 'failed'}.`,
    ),
  ),
  'delivery.dkim': toMailLogs((e) =>
    info(
      e.profile === null
        ? line`MID ${e.mid} DKIM: cannot sign - no profile matches ${e.address}`
        : line`MID ${e.mid} DKIM: signing with ${e.profile} - matches ${e.address}`,
    ),
  ),
  'delivery.alias-expanded': toMailLogs((e) =>
    info(line`MID ${e.mid} aliases expanded, recipients: ${e.recipients.join(', ') || 'none'}`),
  ),
  'delivery.success-notified': toMailLogs((e) =>
    info(line`MID ${e.mid} was generated for success notification of MID ${e.from}`),
  ),
  'delivery.delay-warned': toMailLogs((e) => info(line`MID ${e.mid} was generated for delay warning of MID ${e.from}`)),
  'delivery.started': toMailLogs((e) =>
    info(
      line`Delivery start DCID ${e.dcid} MID ${e.mid} to RID ${rids(e.rids)}` +
        (e.local ? ' to embedded mailboxes' : ''),
    ),
  ),
  // AsyncOS ends this line with a blank (before the logged headers, when there are any).
  'delivery.done': toMailLogs((e) =>
    info(
      line`Message done DCID ${e.dcid} MID ${e.mid} to RID ${rids(e.rids)} ` + (e.local ? '(embedded mailboxes) ' : ''),
    ),
  ),
  'delivery.response': toMailLogs((e) => info(line`MID ${e.mid} RID [${e.rid}] Response ${pyRepr(e.response)}`)),
  'delivery.bounced': toMailLogs((e) =>
    info(line`Bounced: DCID ${e.dcid} MID ${e.mid} to RID ${e.rid} - ${failure(e)}`),
  ),
  'delivery.delayed': [
    to('mail_logs', (e) => info(line`Delayed: DCID ${e.dcid} MID ${e.mid} to RID ${e.rid} - ${failure(e)}`)),
    to('mail_logs', (e, time) => info(line`Message ${e.mid} to RID [${e.rid}] pending till ${time.stamp(e.until)}`)),
  ],
  'delivery.deleted': toMailLogs((e) => info(line`MID ${e.mid} to RID ${rids(e.rids)} deleted by ${e.by}`)),
  'delivery.redirected': toMailLogs((e) =>
    info(line`MID ${e.mid} to RID ${rids(e.rids)} redirected to ${e.host} by ${e.by}`),
  ),
  'delivery.double-bounced': toMailLogs((e) =>
    info(line`Double bounce: MID ${e.mid} to RID ${e.rid} - ${e.status} - ${e.reason}`),
  ),
  'delivery.bounce-generated': toMailLogs((e) => info(line`MID ${e.mid} was generated for bounce of MID ${e.from}`)),
  'delivery.connection-error': toMailLogs((e) =>
    info(
      line`Connection Error: DCID ${e.dcid} domain: ${e.domain} IP: ${e.address} port: ${e.port} ` +
        line`details: ${e.details} reason: network error`,
    ),
  ),
  'delivery.closed': toMailLogs((e) => info(line`DCID ${e.dcid} close`)),
}
