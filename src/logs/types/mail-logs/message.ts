import { defangUrl } from '../../../core/defang.ts'
import { pyRepr } from '../../../core/python.ts'
import type { FilterRef, MessageEvent } from '../../../events/message.ts'
import { info, line, toMailLogs, warning } from '../../line.ts'
import type { LogTable } from '../../line.ts'

/** `Subject "You\\'ve …"`: the raw header in double quotes, escaped the way the reference shows it. */
const subject = (raw: string): string =>
  `"${raw.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll("'", "\\\\'")}"`

const droppedBy = (by: FilterRef): string =>
  by.kind === 'message filter' ? line`filter '${by.name}'` : line`content filter '${by.name}' in the ${by.table} table`

const score = (value: number | null): string => {
  if (value === null) return 'noscore'
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}

const CLICKED = { redirected: 'redirected', blocked: 'blocked', asked: 'asked before going on' } as const

/** MID lines, from MAIL FROM to the end, quarantines included. */
export const messageLines: LogTable<MessageEvent['type']> = {
  'message.started': toMailLogs((e) => info(line`Start MID ${e.mid} ICID ${e.icid}`)),
  'message.sender': toMailLogs((e) => info(line`MID ${e.mid} ICID ${e.icid} From: <${e.sender}>`)),
  'message.recipient': toMailLogs((e) => info(line`MID ${e.mid} ICID ${e.icid} RID ${e.rid} To: <${e.recipient}>`)),
  'message.incoming-relay': toMailLogs((e) => {
    const found =
      e.found === 'address'
        ? line`Header ${e.header} found, IP ${e.address ?? ''} being used, SBRS ${e.reputation} country ${e.country ?? 'not enabled'}`
        : e.found === 'header'
          ? 'Could not find valid IP address in header'
          : line`Header ${e.header} not found`
    return info(line`MID ${e.mid} IncomingRelay(${e.relay}): ${found}`)
  }),
  'message.recipient-rejected': toMailLogs((e) =>
    info(
      e.by === 'bounce verification'
        ? line`MID ${e.mid} ICID ${e.icid} invalid bounce, rcpt address <${e.recipient}> rejected by bounce verification.`
        : line`MID ${e.mid} ICID ${e.icid} To: <${e.recipient}> Rejected by ${e.by}`,
    ),
  ),
  'message.id': toMailLogs((e) =>
    e.messageId === null ? null : info(line`MID ${e.mid} Message-ID ${pyRepr(e.messageId)}`),
  ),
  'message.subject': toMailLogs((e) => info(line`MID ${e.mid} Subject ${subject(e.subject)}`)),
  'message.ready': toMailLogs((e) => info(line`MID ${e.mid} ready ${e.bytes} bytes from <${e.sender}>`)),
  'message.aborted': toMailLogs((e) => info(line`Message aborted MID ${e.mid} ${e.reason}`)),
  'message.unscannable': toMailLogs((e) => warning(line`MID ${e.mid} could not be scanned: ${e.reason}`)),
  'message.partly-scanned': toMailLogs((e) =>
    warning(line`MID ${e.mid} not completely scanned by SDS. Error: ${e.reason}`),
  ),
  'url.expanded': toMailLogs((e) => info(line`MID ${e.mid} Message URL: ${e.url} has been expanded to ${e.target}`)),
  'policy.matched': toMailLogs((e) =>
    info(line`MID ${e.mid} matched all recipients for per-recipient policy ${e.policy} in the ${e.table} table`),
  ),
  'policy.split': toMailLogs((e) =>
    info(
      line`MID ${e.mid} was split creating MID ${e.into} due to a per-recipient policy ${e.policy} ` +
        line`in the ${e.table} table`,
    ),
  ),
  'filter.log-entry': toMailLogs((e) => info(line`MID ${e.mid} Custom Log Entry: ${e.text}`)),
  'url.matched': toMailLogs((e) =>
    info(line`MID ${e.mid} URL ${e.url} has reputation ${score(e.score)} matched ${e.what}: ${e.detail}`),
  ),
  'url.clicked': toMailLogs((e) =>
    info(
      line`MID ${e.mid} URL ${defangUrl(e.url)} has reputation ${score(e.score)} clicked from ${e.remoteAddress}: ` +
        CLICKED[e.outcome],
    ),
  ),
  'message.rewritten': toMailLogs((e) =>
    info(line`MID ${e.mid} rewritten to MID ${e.into} by ${e.action} filter '${e.filter}'`),
  ),
  'message.generated': toMailLogs((e) =>
    info(line`MID ${e.mid} was generated based on MID ${e.from} by ${e.how} filter '${e.filter}'`),
  ),
  'message.dropped': toMailLogs((e) => info(line`Message aborted MID ${e.mid} Dropped by ${droppedBy(e.by)}`)),
  'message.quarantined': toMailLogs((e) =>
    info(line`MID ${e.mid} quarantined to "${e.quarantine}" (${e.by.kind}:${e.by.name})`),
  ),
  'quarantine.released': toMailLogs((e) =>
    info(line`MID ${e.mid} released from quarantine "${e.quarantine}" (${e.how})`),
  ),
  'quarantine.deleted': toMailLogs((e) =>
    info(line`MID ${e.mid} deleted from quarantine "${e.quarantine}" (${e.how})`),
  ),
  'message.queued': toMailLogs((e) => info(line`MID ${e.mid} queued for delivery`)),
  'message.finished': toMailLogs((e) => info(line`Message finished MID ${e.mid} done`)),
}
