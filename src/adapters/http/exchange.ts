import { lookup as resolveName } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../core/clock.ts'
import { Fault } from '../../core/errors.ts'
import type { Times } from '../../intel/lookup.ts'
import { createTimes } from '../../intel/times.ts'
import { readBody } from './read-body.ts'

/** Where a service is and how it is reached. */
export interface Endpoint {
  /** `https://host:port` */
  readonly url: string
  /** PEM of the only CA that is believed; null = the system's. */
  readonly ca: string | null
  /** `http://proxy:port`: traffic goes through a CONNECT tunnel, encrypted end to end. */
  readonly proxy: string | null
}

export interface HttpAnswer {
  readonly url: string
  readonly status: number
  readonly text: string
  /** Parsed JSON; null when it is none. */
  readonly body: unknown
  readonly retryAfterMs: number
  /** The service's clock, from its Date header; null when it tells none. */
  readonly serverDate: Date | null
}

/** HTTPS to one service. Redirects are answers like others: they are never followed, so no token goes astray. */
export interface HttpExchange {
  /** @throws Fault UPSTREAM_UNAVAILABLE or TIMED_OUT; its text names host and cause, never a header or a body. */
  send(
    endpoint: Endpoint,
    request: {
      readonly method: 'GET' | 'POST'
      readonly url: string
      readonly bearer: string
      readonly body?: unknown
    },
    signal: AbortSignal,
  ): Promise<HttpAnswer>
  dnsTimes(): Times
  close(): Promise<void>
}

const MAX_ANSWER = 32 * 1024 * 1024
const CONNECT_MS = 5_000
const ANSWER_MS = 15_000

const retryAfter = (value: string | string[] | undefined): number => {
  const seconds = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0
  return seconds * 1000
}

const dateOf = (value: string | string[] | undefined): Date | null => {
  const at = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(at) ? null : new Date(at)
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

const faultOf = (error: unknown, host: string): Fault => {
  if (error instanceof Fault) return error
  const { code = 'unknown error' } = error as { code?: string }
  return TIMEOUTS.has(code)
    ? new Fault('TIMED_OUT', `${host}: no answer in time (${code})`)
    : new Fault('UPSTREAM_UNAVAILABLE', `${host} cannot be reached (${code})`)
}

export const createHttpExchange = (clock: Clock): HttpExchange => {
  const dns = createTimes()
  const lookup: LookupFunction = (name, options, done) => {
    const start = clock.monotonic()
    resolveName(name, options, (...answer) => {
      dns.add((clock.monotonic() - start) / 1000)
      done(...answer)
    })
  }
  // One dispatcher at a time: another endpoint (a committed change) closes the older one's connections.
  let current: { readonly key: string; readonly dispatcher: Promise<Dispatcher> } | null = null

  const make = async ({ ca, proxy }: Endpoint): Promise<Dispatcher> => {
    const { Agent, ProxyAgent } = await import('undici')
    const tls = { ...(ca === null ? {} : { ca }), timeout: CONNECT_MS, lookup }
    const limits = { headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS }
    return proxy === null
      ? new Agent({ connect: tls, ...limits })
      : new ProxyAgent({ uri: proxy, requestTls: tls, connect: { timeout: CONNECT_MS }, proxyTunnel: true, ...limits })
  }
  const closeCurrent = async (): Promise<void> => {
    const old = current
    current = null
    if (old) await (await old.dispatcher).destroy()
  }
  const dispatcherFor = (endpoint: Endpoint): Promise<Dispatcher> => {
    const key = JSON.stringify([endpoint.ca, endpoint.proxy])
    if (current?.key === key) return current.dispatcher
    void closeCurrent().catch(() => undefined)
    current = { key, dispatcher: make(endpoint) }
    return current.dispatcher
  }

  return {
    send: async (endpoint, { method, url, bearer, body }, signal) => {
      const target = new URL(url)
      if (target.protocol !== 'https:')
        throw new Fault('UPSTREAM_UNAVAILABLE', `${target.host} is not reached by https`)
      try {
        const { request } = await import('undici')
        const answer = await request(url, {
          method,
          dispatcher: await dispatcherFor(endpoint),
          headers: {
            accept: 'application/json',
            authorization: `Bearer ${bearer}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal,
        })
        const tooLarge = (): Error => new Fault('UPSTREAM_UNAVAILABLE', `${target.host}: the answer is too large`)
        const text = (await readBody(answer.body, MAX_ANSWER, tooLarge)).toString('utf8')
        return {
          url,
          status: answer.statusCode,
          text,
          body: parsed(text),
          retryAfterMs: retryAfter(answer.headers['retry-after']),
          serverDate: dateOf(answer.headers['date']),
        }
      } catch (error) {
        signal.throwIfAborted()
        throw faultOf(error, target.host)
      }
    },
    dnsTimes: () => dns.read(),
    close: closeCurrent,
  }
}
