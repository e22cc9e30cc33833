import type { Entropy } from '../../core/entropy.ts'
import { Fault } from '../../core/errors.ts'
import type { IntelLookup } from '../../intel/lookup.ts'
import { readHashMatch, readSenderVerdict, readUrlVerdict } from '../../intel/service/answers.ts'
import { blindLookup, blindSubmission } from '../../intel/url/blind.ts'
import type { HashMatch } from '../../intel/url/blind.ts'
import { urlRef } from '../../intel/url/hash.ts'
import type { ApiAnswer, Registration, RetroApi } from '../../retro/ports.ts'
import type { Endpoint, HttpAnswer, HttpExchange } from './exchange.ts'

export interface IntelClientSettings {
  readonly endpoint: Endpoint
  readonly organization: string
  /** What the device enrolled with. */
  readonly deviceSecret: string
  /** URLs are asked about by prefixes of hashes. */
  readonly hashLookups: boolean
  /** URLs are handed over for watching as hashes. */
  readonly hashSubmissions: boolean
}

export interface IntelClientDeps {
  readonly http: HttpExchange
  readonly serial: string
  readonly version: string
  /** Asked for each request: a committed change counts from the next one. @throws Fault NOT_CONFIGURED */
  readonly settings: () => IntelClientSettings
  readonly entropy: Entropy
  /** The URLs that are watched in a message: what comes back by its hash is found among them. */
  readonly watched: (emailId: string) => readonly string[]
}

const MAX_LOGGED = 65_536

const registerUrl = (s: IntelClientSettings, serial: string): string => `${s.endpoint.url}/v1/register/device/${serial}`

const payload = (s: IntelClientSettings, version: string) => ({
  org_id: s.organization,
  model: 'Lychgate',
  version,
  type: 'gateway',
})

const register = ({ http, serial, version, settings }: IntelClientDeps, signal: AbortSignal): Promise<HttpAnswer> => {
  const s = settings()
  const request = {
    method: 'POST' as const,
    url: registerUrl(s, serial),
    bearer: s.deviceSecret,
    body: payload(s, version),
  }
  return http.send(s.endpoint, request, signal)
}

const apiAnswer = ({ url, status, body, text, retryAfterMs, serverDate }: HttpAnswer): ApiAnswer => ({
  url,
  status,
  body,
  text: text.slice(0, MAX_LOGGED),
  retryAfterMs,
  serverDate,
})

type Json = Readonly<Record<string, unknown>>
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

/** Of a message that is not watched here the hash stays: whoever reads it finds no such URL. */
const joinedRetro = (raw: unknown, watched: IntelClientDeps['watched']): unknown => {
  if (!isObject(raw) || !isObject(raw['observable']) || raw['observable']['observable_type'] !== 'url_ref') return raw
  const { value } = raw['observable']
  const emailId = raw['email_id']
  const url = typeof emailId === 'string' ? watched(emailId).find((u) => urlRef(u) === value) : undefined
  return { ...raw, observable: { observable_type: 'url', value: url ?? value } }
}

export const createRetroApi = (deps: IntelClientDeps): RetroApi => {
  const { http, serial, version, settings } = deps
  const queryUrl = (regionUri: string): string => `${regionUri}/v1/retro/device/${serial}`
  /** Retrospections of URLs that the service knows by their hash alone, with the URL again. */
  const joined = (answer: ApiAnswer): ApiAnswer => {
    const { body } = answer
    if (!isObject(body) || !Array.isArray(body['retros'])) return answer
    const retros = (body['retros'] as readonly unknown[]).map((raw) => joinedRetro(raw, deps.watched))
    const whole = { ...body, retros }
    return { ...answer, body: whole, text: JSON.stringify(whole).slice(0, MAX_LOGGED) }
  }
  return {
    serial,
    registerUrl: () => registerUrl(settings(), serial),
    registerPayload: () => payload(settings(), version),
    register: async (signal) => apiAnswer(await register(deps, signal)),
    queryUrl,
    query: async ({ token, regionUri }, { since, pageSize }, signal) => {
      const query = new URLSearchParams({ since, page_size: String(pageSize) })
      const url = `${queryUrl(regionUri)}?${query.toString()}`
      return joined(apiAnswer(await http.send(settings().endpoint, { method: 'GET', url, bearer: token }, signal)))
    },
    cause: async ({ token, regionUri }, of, signal) => {
      const url = `${queryUrl(regionUri)}/causes`
      // A hash names the URL as well as its text: the service may know no more.
      const body = { retros: [{ email_id: of.emailId, value: urlRef(of.url) }] }
      return apiAnswer(await http.send(settings().endpoint, { method: 'POST', url, bearer: token, body }, signal))
    },
    submit: async ({ token, regionUri }, items, signal) => {
      const url = `${queryUrl(regionUri)}/urls`
      const blind = settings().hashSubmissions
      const body = {
        urls: items.map((i) => ({ email_id: i.emailId, ...(blind ? blindSubmission(i.url) : { url: i.url }) })),
      }
      return apiAnswer(await http.send(settings().endpoint, { method: 'POST', url, bearer: token, body }, signal))
    },
  }
}

/** Look-ups at a shared service. */
export const createRemoteLookup = (deps: IntelClientDeps): IntelLookup => {
  const { http, settings } = deps
  let registration: (Registration & { readonly from: string }) | null = null

  const enter = async (signal: AbortSignal): Promise<Registration> => {
    const from = registerUrl(settings(), deps.serial)
    if (registration?.from === from) return registration
    const answer = await register(deps, signal)
    const { token, region_uri: regionUri } = isObject(answer.body) ? answer.body : {}
    if (answer.status !== 201 || typeof token !== 'string' || typeof regionUri !== 'string')
      throw new Fault('UPSTREAM_UNAVAILABLE', `the intelligence service refused the registration (${answer.status})`)
    registration = { token, regionUri, from }
    return registration
  }

  const ask = async (path: string, body: unknown, signal: AbortSignal): Promise<Json> => {
    for (let attempt = 0; ; attempt++) {
      const { token, regionUri } = await enter(signal)
      const url = `${regionUri}${path}`
      const answer = await http.send(settings().endpoint, { method: 'POST', url, bearer: token, body }, signal)
      if (answer.status === 200 && isObject(answer.body)) return answer.body
      const refused = answer.status === 401 || answer.status === 403
      if (refused) registration = null
      // Once more with a new token.
      if (attempt > 0 || !refused)
        throw new Fault('UPSTREAM_UNAVAILABLE', `the intelligence service answered with status ${answer.status}`)
    }
  }

  return {
    name: 'service',
    urls: async (urls, signal) => {
      if (settings().hashLookups) {
        const lookup = blindLookup(urls, deps.entropy)
        const matches: HashMatch[] = []
        for (const prefixes of lookup.requests) {
          const answer = await ask('/v1/lookup/hashes', { prefixes }, signal)
          if (!Array.isArray(answer['matches']))
            throw new Fault('UPSTREAM_UNAVAILABLE', 'the intelligence service gave no matches')
          matches.push(...(answer['matches'] as readonly unknown[]).map(readHashMatch).filter((m) => m !== null))
        }
        return lookup.verdicts(matches)
      }
      const { results } = await ask('/v1/lookup/urls', { urls }, signal)
      const verdicts = Array.isArray(results) ? (results as readonly unknown[]).map(readUrlVerdict) : []
      return new Map(verdicts.flatMap((v) => (v === null ? [] : [[v.url, v] as const])))
    },
    sender: async (query, signal) => {
      const { result } = await ask('/v1/lookup/sender', query, signal)
      const verdict = readSenderVerdict(result)
      if (verdict === null) throw new Fault('UPSTREAM_UNAVAILABLE', 'the intelligence service gave no sender verdict')
      return verdict
    },
    dnsTimes: () => http.dnsTimes(),
  }
}
