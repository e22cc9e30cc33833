import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { createLru } from '../../core/lru.ts'
import { isShortened } from '../../intel/url/shorteners.ts'
import type { ShortLinks } from '../../intel/url/shorteners.ts'
import { createPublicAgent } from './public-agent.ts'
import type { PublicAgentOptions } from './public-agent.ts'
import { isAllowedHost } from './public-only.ts'

export interface ShortLinkOptions extends PublicAgentOptions {
  readonly clock: Clock
  readonly userAgent: string
}

const HOP_MS = 5000
const CACHED = 10_000
const CACHE_MS = 3_600_000
const MAX_URL = 8192
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * Asks known shorteners only, and reads their `Location`, never a body, a cookie or the target: no one-time link behind
 * a short link is used up. HEAD first; a service that knows no HEAD is asked with GET and cut off at its header.
 */
export const createShortLinks = (options: ShortLinkOptions): ShortLinks & { close(): Promise<void> } => {
  const { clock, userAgent, isAllowed } = options
  const agent = createPublicAgent(options, { connectMs: 3000, silenceMs: HOP_MS, connections: 4 })
  const cache = createLru<{ readonly target: string }>(CACHED, clock)

  const ask = async (url: URL, method: 'HEAD' | 'GET', signal: AbortSignal) => {
    const { request } = await import('undici')
    const answer = await request(url, {
      method,
      dispatcher: await agent.get(),
      headers: { 'user-agent': userAgent, accept: '*/*' },
      signal,
    })
    answer.body.on('error', () => undefined).destroy()
    const { location } = answer.headers
    return { status: answer.statusCode, location: Array.isArray(location) ? location[0] : location }
  }
  const nextOf = async (from: URL, signal: AbortSignal): Promise<URL | null> => {
    if (!isAllowedHost(from.hostname, isAllowed)) return null
    let answer = await ask(from, 'HEAD', signal)
    if ([400, 403, 404, 405, 501].includes(answer.status)) answer = await ask(from, 'GET', signal)
    const { status, location = '' } = answer
    if (!REDIRECTS.has(status) || location === '' || location.length > MAX_URL || !URL.canParse(location, from.href))
      return null
    const to = new URL(location, from)
    return /^(?:https?|ftp):$/.test(to.protocol) ? to : null
  }

  const follow = async (url: string, maxDepth: number, signal: AbortSignal): Promise<string | null> => {
    let at = new URL(url)
    for (let hop = 0; hop < maxDepth; hop++) {
      const to = await withDeadline(clock, HOP_MS, signal, (stop) => nextOf(at, stop))
      if (to === null) return hop === 0 ? null : at.href
      at = to
      if (!isShortened(at.href)) return at.href
    }
    return null
  }

  return {
    expand: async (url, maxDepth, signal) => {
      const known = cache.get(url)
      if (known) return known.target
      try {
        const target = await follow(url, maxDepth, signal)
        if (target !== null) cache.set(url, { target }, CACHE_MS)
        return target
      } catch {
        return null
      }
    },
    close: agent.close,
  }
}
