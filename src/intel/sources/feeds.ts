import { UserError } from '../../core/errors.ts'
import type { IntelSource } from '../../config/sections/intelligence.ts'
import { csvFields } from './csv.ts'

/** One entry of a feed, not yet looked at closely. */
export interface FeedEntry {
  /** `line 17`, `entry 3`: for messages to the administrator. */
  readonly at: string
  readonly indicator: string
  readonly reason: string
  /** Says less than the source's own level. */
  readonly weak?: boolean
}

type Json = { readonly [key: string]: unknown }

const text = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
const list = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? (value as unknown[]).filter((v): v is Json => typeof v === 'object' && v !== null) : []
const record = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})

const json = (content: string): unknown => {
  try {
    return JSON.parse(content) as unknown
  } catch {
    throw new UserError('is not valid JSON')
  }
}

const words = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join(', ')

/** CSV lines that have enough fields; `#` begins a comment. */
const csvLines = function* (content: string): Generator<{ readonly at: string; readonly fields: readonly string[] }> {
  let number = 0
  for (const line of content.replace(/^\ufeff/, '').split('\n')) {
    number++
    if (line.trim() === '' || line.startsWith('#')) continue
    yield { at: `line ${number}`, fields: csvFields(line.trim()) ?? [] }
  }
}

/** `id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter`, every field quoted. */
const urlhausCsv = function* (content: string): Generator<FeedEntry> {
  for (const { at, fields } of csvLines(content)) {
    const [id = '', , url = '', status = '', , threat = '', tags = ''] = fields
    yield { at, indicator: url, reason: words(`URLhaus ${id}`, threat, tags, status) }
  }
}

const urlhausEntries = function* (entries: Iterable<readonly [id: string, entry: Json]>): Generator<FeedEntry> {
  for (const [id, e] of entries) {
    const tags = Array.isArray(e['tags']) ? e['tags'].map(text).join(' ') : ''
    const reason = words(`URLhaus ${id}`, text(e['threat']), tags, text(e['url_status']))
    yield { at: `entry ${id}`, indicator: text(e['url']), reason }
  }
}

/** `{id: [{url, url_status, threat, tags}]}` */
const urlhausJson = (content: string): Iterable<FeedEntry> =>
  urlhausEntries(
    Object.entries(record(json(content))).flatMap(([id, entries]) => list(entries).map((e) => [id, e] as const)),
  )

/** The API's newest entries (`/v1/urls/recent/`): `{query_status, urls: [{id, url, url_status, threat, tags}]}` */
const urlhausApi = function* (content: string): Generator<FeedEntry> {
  const answer = record(json(content))
  if (answer['query_status'] !== 'ok' && answer['query_status'] !== 'no_results')
    throw new UserError(`answers '${text(answer['query_status']).slice(0, 60)}'`)
  yield* urlhausEntries(list(answer['urls']).map((e) => [text(e['id']), e]))
}

/** `phish_id,url,phish_detail_url,submission_time,verified,verification_time,online,target`; only verified ones count. */
const phishtankCsv = function* (content: string): Generator<FeedEntry> {
  for (const { at, fields } of csvLines(content)) {
    const [id = '', url = '', , , verified = '', , , target = ''] = fields
    if (id === 'phish_id' || (fields.length > 4 && verified !== 'yes')) continue
    yield { at, indicator: url, reason: words(`PhishTank ${id}`, target) }
  }
}

const phishtankJson = function* (content: string): Generator<FeedEntry> {
  for (const e of list(json(content))) {
    if (e['verified'] !== undefined && e['verified'] !== 'yes') continue
    const id = text(e['phish_id'])
    yield { at: `entry ${id}`, indicator: text(e['url']), reason: words(`PhishTank ${id}`, text(e['target'])) }
  }
}

const SURE = 75
const UNSURE = 25

/** `{query_status, data: [{id, ioc, ioc_type, confidence_level, …}]}`; hashes are not ours, confidence below 25 no opinion. */
const threatfox = function* (content: string): Generator<FeedEntry> {
  const answer = record(json(content))
  if (answer['query_status'] !== 'ok' && answer['query_status'] !== 'no_result')
    throw new UserError(`answers '${text(answer['query_status']).slice(0, 60)}'`)
  for (const e of list(answer['data'])) {
    const confidence = Number(e['confidence_level'] ?? 0)
    const type = text(e['ioc_type'])
    if (!['url', 'domain', 'ip:port'].includes(type) || !(confidence >= UNSURE)) continue
    const ioc = text(e['ioc'])
    yield {
      at: `entry ${text(e['id'])}`,
      indicator: type === 'ip:port' ? ioc.replace(/:\d{1,5}$/, '') : ioc,
      reason: words(`ThreatFox ${text(e['id'])}`, text(e['malware_printable']), `confidence ${confidence}`),
      weak: confidence < SURE,
    }
  }
}

const MISP_TYPES = new Set(['url', 'domain', 'hostname', 'ip-dst', 'ip-dst|port', 'domain|ip'])

/** MISP events, one or a list: attributes for detection (`to_ids`) of types that a URL can match. */
const misp = function* (content: string): Generator<FeedEntry> {
  const parsed = json(content)
  for (const wrapper of Array.isArray(parsed) ? list(parsed) : [record(parsed)]) {
    const event = record(wrapper['Event'])
    const attributes = [...list(event['Attribute']), ...list(event['Object']).flatMap((o) => list(o['Attribute']))]
    const info = text(event['info']).slice(0, 120)
    for (const a of attributes) {
      if (!MISP_TYPES.has(text(a['type'])) || a['to_ids'] !== true || a['deleted'] === true) continue
      const indicator = text(a['value']).split('|', 1)[0] ?? ''
      yield { at: `attribute ${text(a['uuid'])}`, indicator, reason: words(`MISP ${text(event['uuid'])}`, info) }
    }
  }
}

type Reader = (content: string) => Iterable<FeedEntry>

/** By format; the plain ones, `lines` and `csv`, are in parse.ts. */
export const FEED_READERS: Readonly<Partial<Record<IntelSource['format'], Reader>>> = {
  'urlhaus-csv': urlhausCsv,
  'urlhaus-json': urlhausJson,
  'urlhaus-api': urlhausApi,
  'phishtank-csv': phishtankCsv,
  'phishtank-json': phishtankJson,
  threatfox,
  misp,
}
