import type { ConfigReader } from '../../config/section.ts'
import { urlFiltering } from '../../config/sections/url-filtering.ts'
import { urlLists } from '../../config/sections/url-lists.ts'
import { urlRetrospection } from '../../config/sections/url-retrospection.ts'
import type { Env } from '../../core/env.ts'
import { createLru } from '../../core/lru.ts'
import type { PyValue } from '../../core/python.ts'
import type { EventBus } from '../../events/bus.ts'
import type { ThreatLevel } from '../../events/levels.ts'
import { createLanes } from '../lanes.ts'
import type { IntelLookup, UrlReputation, UrlReputationRequest } from '../lookup.ts'
import type { UrlVerdict } from '../verdict.ts'
import { createExchange, isVerdict } from './exchange.ts'
import type { Answer } from './exchange.ts'
import { urlListMatcher } from './lists.ts'
import { clientAnswer, clientRequest } from './wire.ts'
import type { Product } from './wire.ts'

const LANES = 64
/** Answers that nobody knows a URL are kept apart: a wave of new URLs does not push out what is known. */
const ROOM = { known: 100_000, unknown: 50_000 }
const MINUTE = 60_000
/** How long an answer is believed. What nobody knows may be known soon; a good name lasts. */
const TTL_MS: Readonly<Record<ThreatLevel, number>> = {
  unknown: MINUTE,
  untrusted: 10 * MINUTE,
  questionable: 10 * MINUTE,
  neutral: 10 * MINUTE,
  favorable: 60 * MINUTE,
  trusted: 60 * MINUTE,
}

/**
 * The url_rep_client. Allowed URLs (websecurityconfig's list) are not looked up, and URLs whose look-up failed have no
 * verdict: neither is in the answer. Rejects only when the caller's signal aborts.
 */
export const createUrlReputation = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly config: ConfigReader
  /** Asked at each look-up: the service may change by commit. */
  readonly lookup: () => IntelLookup
  readonly product: Product
  /** Answers kept. */
  readonly room?: typeof ROOM
}): UrlReputation => {
  const { env, events, config, product, room = ROOM } = deps
  const { clock } = env
  const lanes = createLanes(1, LANES)
  const cache = createLru<UrlVerdict>(room.known, clock)
  const negative = createLru<UrlVerdict>(room.unknown, clock)
  const keep = (verdict: UrlVerdict): void => {
    const [into, other] = verdict.level === 'unknown' ? [negative, cache] : [cache, negative]
    other.delete(verdict.url)
    into.set(verdict.url, verdict, TTL_MS[verdict.level])
  }
  // A flush while a batch is under way: what it brings is older than the flush.
  let epoch = 0
  let cacheHits = 0
  let sequence = 0
  const timeoutSeconds = (): number => config.get(urlFiltering).lookupTimeoutSeconds
  /** Retrospection is for incoming mail only, and may be off: then nothing is handed over, and nothing told of it. */
  const handsOver = ({ outbound }: UrlReputationRequest): boolean => !outbound && config.get(urlRetrospection).enabled
  const exchange = createExchange({
    env,
    events,
    handsOver,
    lookup: deps.lookup,
    product,
    timeoutSeconds,
  })

  let matcher: { readonly entries: readonly string[]; readonly allows: (url: string) => boolean } | null = null
  const allowed = (): ((url: string) => boolean) => {
    const name = config.get(urlFiltering).allowedList
    const entries = name === null ? undefined : config.get(urlLists).find((l) => l.name === name)?.urls
    if (!entries) return () => false
    if (matcher?.entries !== entries) matcher = { entries, allows: urlListMatcher(entries) }
    return matcher.allows
  }

  const run = async (
    request: UrlReputationRequest,
    thread: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, UrlVerdict>> => {
    const { mid, source, connectionGuid, messageGuid } = request
    const at = { mid, source, thread }
    const start = clock.monotonic()
    const elapsed = (): number => (clock.monotonic() - start) / 1000
    events.publish({ type: 'url-rep.started', ...at, connectionGuid, messageGuid })
    const now = clock.now()
    const expiry = new Date(now.getTime() + timeoutSeconds() * 1000)
    events.publish({
      type: 'url-rep.requested',
      ...at,
      request: clientRequest(request, product, expiry, now, ++sequence),
    })
    const allows = allowed()
    const urls = [...new Set(request.urls)].filter((url) => !allows(url))
    const answers = new Map<string, Answer>()
    for (const url of urls) {
      const hit = cache.get(url) ?? negative.get(url)
      if (hit) answers.set(url, hit)
    }
    if (answers.size > 0) {
      cacheHits += answers.size
      events.publish({ type: 'url-rep.cache-hits', ...at, hits: answers.size, seconds: elapsed() })
      const unscored = [...answers.values()].flatMap((v) => (isVerdict(v) && v.score === null ? [v.url] : []))
      // The scan hands them over for this message too; a filter's later look-up finds them handed over.
      if (unscored.length > 0 && source === 'antispam' && handsOver(request))
        events.publish({ type: 'url-rep.unscored', ...at, messageGuid, urls: unscored })
    }
    const missing = urls.filter((url) => !answers.has(url))
    if (missing.length > 0) {
      const asked = epoch
      for (const [url, answer] of exchange.ask(request, missing, thread)) {
        const got = await untilAborted(answer, signal)
        if (isVerdict(got) && asked === epoch) keep(got)
        answers.set(url, got)
      }
    }
    tell(request, urls, answers, thread, elapsed())
    const failed = [...answers].flatMap(([url, a]) => (isVerdict(a) ? [] : [url]))
    if (failed.length > 0) request.onFailed?.(failed)
    return new Map([...answers].flatMap(([url, a]) => (isVerdict(a) ? [[url, a] as const] : [])))
  }

  const tell = (
    { mid, source, urls: asked }: UrlReputationRequest,
    lookedUp: readonly string[],
    answers: ReadonlyMap<string, Answer>,
    thread: number,
    seconds: number,
  ): void => {
    const at = { mid, source, thread }
    const all = lookedUp.map((url) => ({ url, answer: answers.get(url) as Answer }))
    const verdicts = all.flatMap(({ answer }) => (isVerdict(answer) ? [answer] : []))
    const errors = all.flatMap(({ answer }) => (isVerdict(answer) ? [] : [answer]))
    const information = Object.fromEntries(verdicts.map((v) => [v.url, [clientAnswer(v)]]))
    events.publish({ type: 'url-rep.information', ...at, asked: lookedUp, answers: information })
    const reply: PyValue = {
      ursv2_response: 1,
      reply: verdicts.map((v) => [clientAnswer(v)]),
      unscannable_errors: [...new Set(errors.map((e) => e.error))],
    }
    events.publish({ type: 'url-rep.reply', ...at, reply })
    const distinct = new Set(asked).size
    const unscanned = errors.filter((e) => e.timedOut).length
    events.publish({
      type: 'url-rep.summary',
      ...at,
      total: distinct,
      passed: verdicts.length,
      failed: errors.length - unscanned,
      unscanned,
      allowed: distinct - lookedUp.length,
      seconds,
    })
  }

  return {
    lookup: async (request, signal) => {
      if (request.urls.length === 0) return new Map()
      const { lane, free } = await lanes.take(signal)
      try {
        return await run(request, lane, signal)
      } finally {
        free()
      }
    },
    diagnostics: () => ({
      cacheSize: cache.size + negative.size,
      cacheHits,
      response: exchange.responseTimes(),
      dns: deps.lookup().dnsTimes?.() ?? { minimum: null, average: 0, maximum: null },
    }),
    flush: () => {
      epoch++
      cache.clear()
      negative.clear()
      exchange.forget()
    },
  }
}

const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted()
  let abort: (() => void) | undefined
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        abort = () => reject(signal.reason as Error)
        signal.addEventListener('abort', abort, { once: true })
      }),
    ])
  } finally {
    if (abort) signal.removeEventListener('abort', abort)
  }
}
