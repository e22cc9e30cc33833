import { ProtoEnum, PyFloat } from '../../core/python.ts'
import type { ProtoValue, PyValue } from '../../core/python.ts'
import { LEVEL_IDS, TAXONOMY_VERSION } from '../taxonomy.ts'
import type { UrlReputationRequest } from '../lookup.ts'
import type { UrlVerdict } from '../verdict.ts'

/** The request and answer objects of a look-up as the url_rep_client log shows them: fields in the reference's order. */

export interface Product {
  readonly serial: string
  readonly version: string
}

type Py = { readonly [key: string]: PyValue | undefined }
type Proto = { readonly [key: string]: ProtoValue | undefined }

export const clientRequest = (
  request: UrlReputationRequest,
  product: Product,
  expiry: Date,
  now: Date,
  sequence: number,
): Py => {
  const expires = new PyFloat(expiry.getTime() / 1000)
  const outbound = request.outbound ? 1 : 0
  if (request.source === 'work_queue')
    return {
      origin: 'work_queue',
      _request_expiry: expires,
      source: 3,
      args: request.urls,
      mid: request.mid,
      msg_guid: request.messageGuid,
      is_outbound: outbound,
      connection_guid: request.connectionGuid,
      id: sequence,
    }
  return {
    case_ver: product.version,
    _request_expiry: expires,
    ver: 1,
    args: request.urls,
    mid: request.mid,
    msg_guid: request.messageGuid,
    is_outbound: outbound,
    ignore_cache: 0,
    connection_guid: request.connectionGuid,
    id: `${sequence}.${Math.floor(now.getTime() / 1000)}`,
  }
}

export const wireRequest = (request: UrlReputationRequest, urls: readonly string[], product: Product): Proto => ({
  app_info: {
    device_id: product.serial,
    product_family: 'gateway',
    product_id: 'Lychgate',
    product_version: product.version,
  },
  connection: { guid: request.connectionGuid },
  msg_guid: request.messageGuid,
  url: urls.map((raw_url) => ({ raw_url, source: new ProtoEnum('URL_LOCATION_EMAIL_BODY') })),
  no_reputation_block_threshold: true,
})

const scoreless = (v: UrlVerdict): boolean => v.score === null

export const wireResponse = (request: UrlReputationRequest, verdicts: readonly UrlVerdict[]): Proto => ({
  connection_guid: request.connectionGuid,
  msg_guid: request.messageGuid,
  result: verdicts.map((v) => ({
    result: {
      threat_level_id: LEVEL_IDS[v.level],
      ...(scoreless(v) ? { no_reputation_score: true } : { reputation_score: v.score ?? 0 }),
    },
  })),
  aup_cat_map_version: TAXONOMY_VERSION,
  threat_cat_map_version: TAXONOMY_VERSION,
  threat_level_map_version: TAXONOMY_VERSION,
  tag_map_version: TAXONOMY_VERSION,
})

/** One URL's result as it was parsed. */
export const parsedResult = (v: UrlVerdict): Py => ({
  ...(v.score === null ? { no_reputation_score: true } : { reputation_score: new PyFloat(v.score) }),
  threat_level_id: LEVEL_IDS[v.level],
})

/** One URL's answer as it is given to who asked. */
export const clientAnswer = (v: UrlVerdict): Py => ({
  ...(v.score === null ? { no_reputation_score: 1 } : { reputation_score: new PyFloat(v.score) }),
  aup_cat_id: [v.category ?? 'nocat'],
  threat_level_id: LEVEL_IDS[v.level],
})
