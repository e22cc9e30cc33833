import { redirect } from '../config/sections/redirect.ts'
import { urlFiltering } from '../config/sections/url-filtering.ts'
import type { ConfigReader } from '../config/section.ts'
import { withDeadline } from '../core/deadline.ts'
import { defangUrl } from '../core/defang.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import type { EventBus } from '../events/bus.ts'
import type { UrlReputation } from '../intel/lookup.ts'
import { createRequestRates } from '../intel/service/request-rates.ts'
import { MAX_PATH, readRedirect } from '../intel/url/redirect.ts'
import type { RedirectLink } from '../intel/url/redirect.ts'
import type { UrlVerdict } from '../intel/verdict.ts'
import { askPage, blockedPage, busyPage, expiredPage, notFoundPage } from './redirect-pages.ts'

export interface ClickRequest {
  readonly method: string
  /** As sent: with what follows a question mark. */
  readonly target: string
  readonly remoteAddress: string
}

export interface ClickAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type AnswerClick = (request: ClickRequest, signal: AbortSignal) => Promise<ClickAnswer>

const LOOKUP_MS = 5000
const REQUESTS_A_MINUTE = 600

const SECURITY = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
} as const

const shown = (status: number, body: string, more: Readonly<Record<string, string>> = {}): ClickAnswer => ({
  status,
  headers: { ...SECURITY, ...more },
  body,
})

type Outcome = 'redirected' | 'blocked' | 'asked'

/** Judges the target of a rewritten link when somebody follows it; the target itself is never fetched. */
export const createRedirectClicks = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly config: ConfigReader
  readonly reputation: UrlReputation
}): AnswerClick => {
  const { env, events, config } = deps
  const rates = createRequestRates(env.clock, REQUESTS_A_MINUTE)

  /** `allowed`: on the operator's list. `failed`: nobody could be asked in time. */
  const judge = async (link: RedirectLink, signal: AbortSignal): Promise<UrlVerdict | 'allowed' | 'failed'> => {
    let failed = false
    const request = {
      mid: link.mid,
      source: 'work_queue' as const,
      connectionGuid: uuid(env.entropy),
      messageGuid: uuid(env.entropy),
      urls: [link.url],
      // Retrospection watches the message already.
      outbound: true,
      onFailed: () => {
        failed = true
      },
    }
    try {
      const verdicts = await withDeadline(env.clock, LOOKUP_MS, signal, (s) => deps.reputation.lookup(request, s))
      return verdicts.get(link.url) ?? (failed ? 'failed' : 'allowed')
    } catch (error) {
      if (signal.aborted) throw error
      return 'failed'
    }
  }

  const decide = (verdict: UrlVerdict | 'allowed' | 'failed'): Outcome => {
    if (verdict === 'allowed') return 'redirected'
    const level = verdict === 'failed' ? 'unknown' : verdict.level
    if (level === 'untrusted') return 'blocked'
    if (level !== 'unknown' && level !== 'questionable') return 'redirected'
    return ({ ask: 'asked', pass: 'redirected', block: 'blocked' } as const)[config.get(redirect).unknown]
  }

  const answer = (outcome: Outcome, url: string): ClickAnswer => {
    if (outcome === 'blocked') return shown(403, blockedPage(defangUrl(url)))
    // `href` is ASCII without control characters, which is what a header may hold.
    const target = new URL(url).href
    return outcome === 'asked' ? shown(200, askPage(target)) : shown(302, '', { location: target })
  }

  return async ({ method, target, remoteAddress }, signal) => {
    if (method !== 'GET' && method !== 'HEAD') return shown(405, notFoundPage(), { allow: 'GET, HEAD' })
    if (target.length > MAX_PATH) return shown(414, notFoundPage())
    const wait = rates.take(remoteAddress)
    if (wait > 0) return shown(429, busyPage(), { 'retry-after': String(wait) })
    const { key } = config.get(redirect)
    if (key === null) return shown(404, notFoundPage())
    const link = readRedirect(Buffer.from(key, 'base64'), target, env.clock.now())
    if (link === 'invalid') return shown(404, notFoundPage())
    if (link === 'expired') return shown(410, expiredPage())
    const verdict = await judge(link, signal)
    const outcome = decide(verdict)
    // Mail scanners and previews ask with HEAD: nobody clicked.
    if (method === 'GET' && config.get(urlFiltering).webInteractionTracking)
      events.publish({
        type: 'url.clicked',
        mid: link.mid,
        url: link.url,
        score: typeof verdict === 'string' ? null : verdict.score,
        remoteAddress,
        outcome,
      })
    return answer(outcome, link.url)
  }
}
