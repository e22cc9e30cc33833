import { defangUrl } from '../../core/defang.ts'
import { pyRepr } from '../../core/python.ts'
import type { EventType } from '../../events/event.ts'
import type { RetrospectionEvent } from '../../events/retrospection.ts'
import { debug, info, line, to, trace, warning } from '../line.ts'
import type { LogTable, Route } from '../line.ts'
import type { LogLine } from '../ports.ts'

const toEcs = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [to('ecs', render)]

const prefixed = (written: LogLine): LogLine => ({ level: written.level, text: `ECS: ${written.text}` })

const says = <K extends EventType>(written: LogLine): readonly Route<K>[] => toEcs(() => prefixed(written))

/** The `ecs` log, in the 2023 words of the reference. */
export const ecsLines: LogTable<RetrospectionEvent['type']> = {
  'ecs.poller-starting': says(debug('Starting Retro MAR poller')),
  'ecs.remediation-notified': says(debug('Remediation service notified.')),
  'ecs.cloud-polling-starting': says(info('Starting cloud service polling')),
  'ecs.remediation-initiated': says(debug('Initiating remediation')),
  'ecs.remediation-idle': says(info('No data pending for remediation.')),
  'ecs.pruning-starting': says(debug('Starting Pruning Thread')),
  'ecs.pruned': toEcs((e) => prefixed(debug(line`Pruned ${e.urls} watched URLs that are past their time`))),
  'ecs.retro-polling-starting': says(info('Starting URL retrospective polling')),
  'ecs.poll-started': says(debug('Start polling')),
  'ecs.query': toEcs((e) => prefixed(debug(line`Querying URL '${e.url}' with parameters: ${pyRepr(e.parameters)}`))),
  'ecs.http': toEcs((e) =>
    prefixed(
      trace(line`URL ${e.url}, Status ${e.status}` + (e.response === null ? '' : line`, Response ${e.response}`)),
    ),
  ),
  'ecs.query-failed': toEcs((e) => prefixed(warning(line`Cloud query failed. '${e.reason}'`))),
  'ecs.registering': toEcs((e) =>
    prefixed(debug(line`Connecting to register api url ${e.url} with payload ${pyRepr(e.payload)}`)),
  ),
  'ecs.registered': says(info('Device registration is successful')),
  'ecs.token-stored': says(debug('Successfully updated region uri and token in database')),
  'ecs.registration-status-updated': says(debug('Updated device registration status')),
  'ecs.registration-failed': toEcs((e) => prefixed(warning(line`Device registration failed. '${e.reason}'`))),
  'ecs.token-retry': says(info('Token Expired/Invalid. Retrying.')),
  'ecs.response': toEcs((e) => prefixed(trace(line`Cloud retro response: ${pyRepr(e.response)}`))),
  'ecs.none-found': says(info('No retrospections found.')),
  'ecs.poll-finished': says(debug('Finish polling')),
  // The one line of this log without its prefix.
  'ecs.verdict-update': toEcs((e) =>
    info(
      [
        'URL verdict update received from retrospective service.',
        'Corresponding message ids & URLs are as follows:',
        '',
        ...e.items.map((i) => line`${i.messageId} : ${defangUrl(i.url)}`),
      ].join('\n'),
    ),
  ),
  'ecs.notifying-remediation': says(debug('Notifying Remediation Service from Polling Service')),
  'ecs.submitted': toEcs((e) => prefixed(debug(line`Submitted ${e.urls} unscored URLs`))),
  'ecs.submission-failed': toEcs((e) => prefixed(warning(line`Submission of unscored URLs failed. '${e.reason}'`))),
  'ecs.ignored': toEcs((e) => prefixed(info(line`Retrospection of ${defangUrl(e.url)} was ignored: ${e.reason}`))),
  'ecs.turned': toEcs((e) =>
    prefixed(
      info(
        [
          e.withdrawn ? 'URL verdict withdrawn by retrospective service.' : 'Withdrawn URL verdict is malicious again.',
          ...e.items.map((i) => line`${i.messageId} : ${defangUrl(i.url)}`),
        ].join('\n'),
      ),
    ),
  ),
  'ecs.clock-skew': toEcs((e) =>
    prefixed(
      e.seconds === 0
        ? info("The service's clock agrees with ours again")
        : warning(
            line`The service's clock is ${Math.abs(e.seconds)} seconds ${e.seconds < 0 ? 'behind' : 'ahead of'} ours`,
          ),
    ),
  ),
  'ecs.stopped': says(info('Stopped URL retrospective polling')),
}
