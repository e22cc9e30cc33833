import { lookup as dnsLookup } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { Fault } from '../../core/errors.ts'
import { isPublicAddress } from '../../core/public-address.ts'
import { FeedFault } from '../../intel/sources/port.ts'
import type { FeedAnswer, FeedFetch, FeedRequest } from '../../intel/sources/port.ts'
import { readBody } from './read-body.ts'

export interface FeedFetchOptions {
  readonly clock: Clock
  /** Asked for each request: `http://proxy:port` for CONNECT, or null. */
  readonly proxy: () => string | null
  /** PEM of the only CA that is believed; null = the system's. */
  readonly ca: string | null
  readonly userAgent: string
  /** Names to addresses; the system's when it is missing. */
  readonly resolveName?: typeof dnsLookup
  /** Of one answer, from connect to its last byte. */
  readonly deadlineMs?: number
}

const CONNECT_MS = 10_000
const SILENCE_MS = 30_000
const DEADLINE_MS = 300_000
const MAX_REDIRECTS = 3
const DAY = 86_400
const unzip = promisify(gunzip)

const header = (answer: Dispatcher.ResponseData, name: string): string | null => {
  const value = answer.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

const retryAfterMs = (value: string | null): number =>
  value !== null && /^\d{1,7}$/.test(value) ? Math.min(Number(value), DAY) * 1000 : 0

const unpacked = async (bytes: Buffer, host: string, maxBytes: number): Promise<Buffer> => {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return await unzip(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new FeedFault(`${host}: the answer unpacks to more than ${maxBytes} bytes`)
    throw new FeedFault(`${host}: the answer is not valid gzip`)
  }
}

/** Feeds lie in the open: one that sends us to an address, or to a name inside, means no good. */
const nextUrl = (location: string | null, from: URL): URL => {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : null
  if (to?.protocol !== 'https:') throw new FeedFault(`${from.host}: redirects, and not to an https URL`)
  const name = to.hostname.replace(/^\[|\]$/g, '')
  if (
    to.host !== from.host &&
    (isIP(name) !== 0 || !name.includes('.') || /\.(?:local|internal|localhost)\.?$/.test(name))
  )
    throw new FeedFault(`${from.host}: redirects to ${to.host}, which is no public name`)
  return to
}

/**
 * Look-up for hosts that a provider sends us to: the addresses that pass are those that are connected to, so neither a name
 * that leads inside nor one that changes between two look-ups gets there.
 */
const publicOnly =
  (resolveName: typeof dnsLookup): LookupFunction =>
  (name, options, done) => {
    resolveName(name, { ...options, all: true }, (error, found) => {
      const inside = error === null && !(found.length > 0 && found.every((a) => isPublicAddress(a.address)))
      const refused = error ?? (inside ? Object.assign(new Error('not public'), { code: 'EACCES' }) : null)
      const [first] = found ?? []
      if (refused !== null || first === undefined) done(refused, '', 0)
      else if (options.all === true) done(null, found)
      else done(null, first.address, first.family)
    })
  }

/** HTTPS for feeds: conditional requests, few redirects, and caps on time, bytes and what gzip makes of them. */
export const createFeedFetch = (options: FeedFetchOptions): FeedFetch & { close(): Promise<void> } => {
  let current: {
    readonly proxy: string | null
    readonly own: Promise<Dispatcher>
    readonly others: Promise<Dispatcher>
  } | null = null
  const resolveName = options.resolveName ?? dnsLookup

  /** Through a proxy names are resolved there. */
  const make = async (proxy: string | null, lookup: LookupFunction): Promise<Dispatcher> => {
    const { Agent, ProxyAgent } = await import('undici')
    const tls = { ...(options.ca === null ? {} : { ca: options.ca }), timeout: CONNECT_MS, lookup }
    const limits = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS }
    return proxy === null
      ? new Agent({ connect: tls, ...limits })
      : new ProxyAgent({ uri: proxy, requestTls: tls, connect: { timeout: CONNECT_MS }, proxyTunnel: true, ...limits })
  }
  const close = async (): Promise<void> => {
    const old = current
    current = null
    if (old) for (const dispatcher of [old.own, old.others]) await (await dispatcher).destroy()
  }
  const dispatcher = (own: boolean): Promise<Dispatcher> => {
    const proxy = options.proxy()
    if (current === null || current.proxy !== proxy) {
      void close().catch(() => undefined)
      current = {
        proxy,
        own: make(proxy, (name, o, done) => resolveName(name, o, done)),
        others: make(proxy, publicOnly(resolveName)),
      }
    }
    return own ? current.own : current.others
  }

  const once = async (url: URL, ask: FeedRequest, own: boolean, signal: AbortSignal) => {
    const { request } = await import('undici')
    return request(url, {
      method: ask.body === null ? 'GET' : 'POST',
      dispatcher: await dispatcher(own),
      headers: {
        accept: '*/*',
        'accept-encoding': 'gzip',
        'user-agent': options.userAgent,
        ...(own && ask.key !== null ? { [ask.keyHeader ?? 'auth-key']: ask.key } : {}),
        ...(ask.etag === null ? {} : { 'if-none-match': ask.etag }),
        ...(ask.modified === null ? {} : { 'if-modified-since': ask.modified }),
        ...(ask.body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(ask.body === null ? {} : { body: JSON.stringify(ask.body) }),
      signal,
    })
  }

  const get = async (ask: FeedRequest, signal: AbortSignal): Promise<FeedAnswer> => {
    const first = new URL(ask.url)
    if (first.protocol !== 'https:') throw new FeedFault(`${first.host} is not reached by https`)
    let url = first
    for (let hop = 0; ; hop++) {
      const answer = await once(url, ask, url.host === first.host, signal)
      const { statusCode: status } = answer
      if (status === 200) {
        const { host } = url
        const tooLarge = (): Error => new FeedFault(`${host}: the answer is larger than ${ask.maxBytes} bytes`)
        const body = await readBody(answer.body, ask.maxBytes, tooLarge)
        const text = (await unpacked(body, host, ask.maxBytes)).toString('utf8')
        return { kind: 'content', text, etag: header(answer, 'etag'), modified: header(answer, 'last-modified') }
      }
      await answer.body.dump({ limit: 65_536, signal })
      if (status === 304) return { kind: 'unchanged' }
      if ([301, 302, 303, 307, 308].includes(status) && hop < MAX_REDIRECTS)
        url = nextUrl(header(answer, 'location'), url)
      else throw new FeedFault(`${url.host} answers ${status}`, retryAfterMs(header(answer, 'retry-after')))
    }
  }

  return {
    get: async (ask, signal) => {
      try {
        return await withDeadline(options.clock, options.deadlineMs ?? DEADLINE_MS, signal, (s) => get(ask, s))
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof FeedFault) throw error
        // What undici says may hold the URL, and with it a key.
        const { host } = new URL(ask.url)
        if (error instanceof Fault && error.code === 'TIMED_OUT')
          throw new FeedFault(`${host}: no whole answer in time`)
        const { code = 'unknown error' } = error as { code?: string }
        if (code === 'EACCES') throw new FeedFault(`${host}: redirects to a name whose address is not public`)
        throw new FeedFault(`${host} cannot be reached (${code})`)
      }
    },
    close,
  }
}
