import { defangUrl } from '../../core/defang.ts'
import type { RemediationEvent } from '../../events/remediation.ts'
import { info, line, to, toMailLogs, warning } from '../line.ts'
import type { LogTable, Route } from '../line.ts'
import type { EventType } from '../../events/event.ts'

const toRemediation = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [
  to('remediation', render),
]

const some = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`

/** The `remediation` log, and the two lines of a MID's story in mail_logs. */
export const remediationLines: LogTable<RemediationEvent['type']> = {
  'remediation.deleted': toRemediation((e) =>
    info(line`MID: ${e.mid} Message deleted successfully from ${e.recipient} mailbox.`),
  ),
  'remediation.forwarded': toRemediation((e) =>
    info(line`MID: ${e.mid} Message forwarded successfully from ${e.recipient} mailbox to ${e.to}.`),
  ),
  'remediation.succeeded': toRemediation((e) =>
    info(line`MID: ${e.mid} Remediation succeeded with \`${e.profile}\` profile for recipient ${e.recipient}.`),
  ),
  'remediation.skipped': toRemediation((e) =>
    info(
      // No profile is mapped to the recipient's domain: AsyncOS has a sentence of its own for it.
      e.profile === null
        ? line`MID: ${e.mid} Skipping mailbox remedial action since domain map is not configured for recipient's (${e.recipient}) domain.`
        : line`MID: ${e.mid} Remediation was skipped after attempting with \`${e.profile}\` profile for recipient ` +
            line`${e.recipient}. Reason: ${e.reason}`,
    ),
  ),
  'remediation.failed': toRemediation((e) =>
    warning(
      line`MID: ${e.mid} Remediation failed with \`${e.profile}\` profile for recipient ${e.recipient}. ` +
        line`Error: ${e.error.replace(/\.+$/, '')}.` +
        (e.willRetry ? ' It will be tried again.' : ''),
    ),
  ),
  // No full stop between the profile and "Remediation status", as in the reference.
  'remediation.result': toMailLogs((e) =>
    info(
      line`Message ${e.mid} was processed due to URL retrospection by Mailbox Remediation with '${e.action}' remedial action ` +
        line`for recipient ${e.recipient}. Profile used to remediate: ${e.profile} Remediation status: ${e.status}.`,
    ),
  ),
  'remediation.held': toRemediation((e) =>
    warning(
      line`Remediation batch ${e.batch} (${some(e.messages, 'message', 'messages')} in ${some(e.mailboxes, 'mailbox', 'mailboxes')}) ` +
        line`waits for approval: ${e.reason}`,
    ),
  ),
  'remediation.approved': toRemediation((e) => info(line`Remediation batch ${e.batch} was approved by user ${e.user}`)),
  'remediation.denied': toRemediation((e) => info(line`Remediation batch ${e.batch} was denied by user ${e.user}`)),
  'remediation.withdrawn': toRemediation((e) =>
    info(
      line`The verdict of ${defangUrl(e.url)} was withdrawn: ${some(e.back, 'message', 'messages')} can be put back, ` +
        line`${e.forwarded} forwarded, ${e.stopped} not remediated any more`,
    ),
  ),
  'remediation.undone': [
    to('remediation', (e) => info(line`MID: ${e.mid} Message put back into ${e.recipient} mailbox by user ${e.user}`)),
    to('mail_logs', (e) =>
      info(line`MID ${e.mid} remediation for recipient ${e.recipient} was undone by user ${e.user}`),
    ),
  ],
}
