import { protoText, pyRepr } from '../../core/python.ts'
import type { EventType } from '../../events/event.ts'
import type { UrlReputationEvent } from '../../events/url-reputation.ts'
import { debug, info, line, to, trace, warning } from '../line.ts'
import type { LogTable, Route } from '../line.ts'

const toClient = <K extends EventType>(render: Route<K>['render']): readonly Route<K>[] => [
  to('url_rep_client', render),
]

const SERVER = 'url_rep_client.beaker_rpc_server'

const head = (e: { readonly thread: number; readonly source: string; readonly mid: number }): string =>
  line`${SERVER} : THR: Thread-${e.thread}: SRC: ${e.source}: MID: ${e.mid}: `

const seconds = (n: number): string => n.toFixed(2)

/** The `url_rep_client` log. Protobuf text runs over several lines and ends with a line that is only `.`. */
export const urlReputationLines: LogTable<UrlReputationEvent['type']> = {
  'url-rep.started': toClient((e) => info(head(e) + line`conn-guid:${e.connectionGuid} msg-guid:${e.messageGuid}`)),
  'url-rep.requested': toClient((e) => trace(`${head(e)}Urs Req: ${pyRepr(e.request)}`)),
  'url-rep.wire-request': toClient((e) => trace(`${head(e)}URS GRPC Req: ${protoText(e.payload)}.`)),
  'url-rep.wire-response': toClient((e) => trace(`${head(e)}URS GRPC Response: ${protoText(e.payload)}.`)),
  'url-rep.batch-received': toClient((e) =>
    info(head(e) + line`URS Batch response received in ${seconds(e.seconds)}s for ${e.urls} URLs.`),
  ),
  'url-rep.parsed': toClient((e) =>
    debug(line`${SERVER} : THR: Thread-${e.thread}: parse_result: ${pyRepr(e.results)}`),
  ),
  'url-rep.unscored': toClient((e) =>
    info(
      head(e) + line`URLs for msg guid ${e.messageGuid} with no score to be sent to ECS client: ${e.urls.join(', ')}`,
    ),
  ),
  'url-rep.batch-response': toClient((e) => trace(`${head(e)}URS Batch Response: URLs: ${pyRepr(e.urls)}.`)),
  'url-rep.cache-hits': toClient((e) => info(head(e) + line`${e.hits} cache hits in ${seconds(e.seconds)}s seconds`)),
  'url-rep.information': toClient((e) =>
    trace(`${head(e)}Url Reputation information for the Urls ${pyRepr(e.asked)}: ${pyRepr(e.answers)}.`),
  ),
  'url-rep.reply': toClient((e) => trace(`${head(e)}Reply from url rep client: ${pyRepr(e.reply)}`)),
  'url-rep.summary': toClient((e) =>
    info(
      head(e) +
        line`Reply from url rep client: total:${e.total} passed:${e.passed} failed:${e.failed} ` +
        line`unscanned:${e.unscanned} allowed:${e.allowed} in ${seconds(e.seconds)}s`,
    ),
  ),
  'url-rep.failed': toClient((e) => warning(head(e) + line`URL reputation query failed: ${e.error}`)),
}
