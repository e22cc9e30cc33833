import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { MALICIOUS, WITHDRAWN } from '../intel/taxonomy.ts'
import type { ApiAnswer, Registration } from './ports.ts'

/** One retrospection as the service writes it (reference/url-retrospective-verdict.txt), reduced to what is used. */
export interface RetroItem {
  readonly emailId: string
  readonly url: string
  readonly at: Date
  /** `withdrawn` (ours): what had turned malicious is so no longer. */
  readonly verdict: 'malicious' | 'withdrawn' | 'other'
}

export interface RetroPage {
  readonly items: readonly RetroItem[]
  /** Entries that could not be read. */
  readonly malformed: number
  /** The latest timestamp of the page, also of entries that could not be read: where the next page starts. */
  readonly last: string | null
  readonly more: boolean
}

const MAX_URL = 8192
const MAX_EMAIL_ID = 64

type Json = Readonly<Record<string, unknown>>
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/
const timestampOf = (raw: unknown): string | null => {
  const timestamp = isObject(raw) ? raw['timestamp'] : null
  return typeof timestamp === 'string' && TIMESTAMP.test(timestamp) && !Number.isNaN(Date.parse(timestamp))
    ? timestamp
    : null
}

const verdictOf = (taxonomy: unknown, entry: unknown): RetroItem['verdict'] => {
  const is = (v: typeof MALICIOUS | typeof WITHDRAWN): boolean =>
    taxonomy === v.taxonomy_id && entry === v.taxonomy_entry_id
  return is(MALICIOUS) ? 'malicious' : is(WITHDRAWN) ? 'withdrawn' : 'other'
}

const readItem = (raw: unknown): RetroItem | null => {
  if (!isObject(raw) || !isObject(raw['observable']) || !isObject(raw['verdict'])) return null
  const { observable_type: type, value } = raw['observable']
  const emailId = raw['email_id']
  const timestamp = timestampOf(raw)
  const { taxonomy_id: taxonomy, taxonomy_entry_id: entry } = raw['verdict']
  if (type !== 'url' || typeof value !== 'string' || value === '' || value.length > MAX_URL) return null
  if (typeof emailId !== 'string' || emailId === '' || emailId.length > MAX_EMAIL_ID) return null
  if (timestamp === null) return null
  return {
    emailId,
    url: value,
    at: new Date(timestamp),
    verdict: verdictOf(taxonomy, entry),
  }
}

/** `{}` is an empty page. */
export const readPage = (body: unknown): Result<RetroPage> => {
  if (!isObject(body)) return fail('The answer is not a JSON object.')
  const { retros = [], more = false } = body
  if (!Array.isArray(retros) || typeof more !== 'boolean') return fail('The answer has not the form {retros, more}.')
  const items = (retros as readonly unknown[]).map(readItem)
  const good = items.filter((i) => i !== null)
  const stamps = (retros as readonly unknown[]).map(timestampOf).filter((t) => t !== null)
  const last = stamps.reduce<string | null>((a, b) => (a === null || Date.parse(b) >= Date.parse(a) ? b : a), null)
  return ok({ items: good, last, malformed: items.length - good.length, more })
}

const shortText = (v: unknown): v is string => typeof v === 'string' && v !== '' && v.length <= 8192

/** The token and region URI of a 201. Only https is spoken to. */
export const readRegistration = (body: unknown): Result<Registration> => {
  if (!isObject(body)) return fail('The answer is not a JSON object.')
  const { token, region_uri: regionUri } = body
  if (!shortText(token) || !shortText(regionUri)) return fail('The answer has no token and region URI.')
  if (!regionUri.startsWith('https://')) return fail('The region URI is not https.')
  return ok({ token, regionUri })
}

/** Of the first cause: `demo_feed (phish.example.com: URLhaus 2131)`. */
export const readCause = (body: unknown): string | null => {
  const causes = isObject(body) && Array.isArray(body['causes']) ? (body['causes'] as readonly unknown[]) : []
  const [first] = causes
  if (!isObject(first)) return null
  const [source, indicator, reason] = ['source', 'indicator', 'reason'].map((name) => {
    const text = first[name]
    return typeof text === 'string' ? text.slice(0, 200) : ''
  })
  return source === '' ? null : `${source} (${[indicator, reason].filter((t) => t !== '').join(': ')})`
}

/** Whether a submission was taken: what else answers 2xx on the way (a portal, a proxy) does not say `{accepted}`. */
export const wasTaken = ({ body }: ApiAnswer): boolean => isObject(body) && typeof body['accepted'] === 'number'

/** What went wrong, in the service's words when it has any: `Token Expired.` */
export const refusal = (answer: ApiAnswer): string => {
  const message = isObject(answer.body) ? answer.body['message'] : undefined
  if (typeof message === 'string' && message !== '') return `${message.slice(0, 200).replace(/\.+$/, '')}.`
  return `HTTP status ${answer.status}.`
}

/** The token is no longer good; another 403 is a refusal that registering again would not change. */
export const tokenRefused = (answer: ApiAnswer): boolean =>
  answer.status === 401 || (answer.status === 403 && /token/i.test(refusal(answer)))
