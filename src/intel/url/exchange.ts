import { withDeadline } from '../../core/deadline.ts'
import { errorText } from '../../core/errors.ts'
import type { Env } from '../../core/env.ts'
import type { EventBus } from '../../events/bus.ts'
import { createLanes } from '../lanes.ts'
import type { IntelLookup, Times, UrlReputationRequest } from '../lookup.ts'
import { createTimes } from '../times.ts'
import type { UrlVerdict } from '../verdict.ts'
import { clientAnswer, parsedResult, wireRequest, wireResponse } from './wire.ts'
import type { Product } from './wire.ts'

const FIRST_LANE = 101
const LANES = 64

export type Answer = UrlVerdict | { readonly error: string; readonly timedOut: boolean }
export const isVerdict = (answer: Answer): answer is UrlVerdict => 'url' in answer

/** Asks the service for what the cache does not know: one batch a message, no URL twice at the same time. */
export interface Exchange {
  /** One promise per URL; they never reject. `thread` is the lane of who asks. */
  ask(request: UrlReputationRequest, urls: readonly string[], thread: number): ReadonlyMap<string, Promise<Answer>>
  /** What is under way answers those who asked; who asks from now on asks anew. */
  forget(): void
  responseTimes(): Times
}

export const createExchange = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly lookup: () => IntelLookup
  readonly product: Product
  readonly timeoutSeconds: () => number
  /** Whether URLs without a score of this message are handed to retrospection. */
  readonly handsOver: (request: UrlReputationRequest) => boolean
}): Exchange => {
  const { env, events, product } = deps
  const { clock } = env
  const lanes = createLanes(FIRST_LANE, LANES)
  const flying = new Map<string, Promise<Answer>>()
  const times = createTimes()

  const batch = async (
    request: UrlReputationRequest,
    urls: readonly string[],
    thread: number,
  ): Promise<ReadonlyMap<string, Answer>> => {
    const { mid, source } = request
    // The batch is shared with other messages: it ends by its own time-out, not with the one that asked first.
    const own = new AbortController().signal
    const start = clock.monotonic()
    events.publish({
      type: 'url-rep.wire-request',
      mid,
      source,
      thread,
      payload: wireRequest(request, urls, product),
    })
    try {
      return await withDeadline(clock, deps.timeoutSeconds() * 1000, own, async (signal) => {
        const { lane, free } = await lanes.take(signal)
        try {
          const answers = await deps.lookup().urls(urls, signal)
          const verdicts = urls.map(
            (url) => answers.get(url) ?? { url, level: 'unknown' as const, score: null, category: null, because: null },
          )
          const seconds = (clock.monotonic() - start) / 1000
          times.add(seconds)
          tell(request, verdicts, lane, seconds)
          return new Map(verdicts.map((v) => [v.url, v]))
        } finally {
          free()
        }
      })
    } catch (error) {
      const reason = errorText(error)
      const timedOut = (error as { code?: string }).code === 'TIMED_OUT'
      events.publish({ type: 'url-rep.failed', mid, source, thread, error: reason })
      return new Map(urls.map((url) => [url, { error: reason, timedOut }]))
    }
  }

  const tell = (
    request: UrlReputationRequest,
    verdicts: readonly UrlVerdict[],
    thread: number,
    seconds: number,
  ): void => {
    const { mid, source, messageGuid } = request
    const at = { mid, source, thread }
    const payload = wireResponse(request, verdicts)
    events.publish({ type: 'url-rep.wire-response', ...at, payload })
    events.publish({ type: 'url-rep.batch-received', ...at, seconds, urls: verdicts.length })
    events.publish({ type: 'url-rep.parsed', thread, results: verdicts.map(parsedResult) })
    const unscored = verdicts.filter((v) => v.score === null).map((v) => v.url)
    if (unscored.length > 0 && deps.handsOver(request))
      events.publish({ type: 'url-rep.unscored', ...at, messageGuid, urls: unscored })
    const urls = Object.fromEntries(verdicts.map((v) => [v.url, [clientAnswer(v)]]))
    events.publish({ type: 'url-rep.batch-response', ...at, urls })
  }

  return {
    ask: (request, urls, thread) => {
      const fresh = urls.filter((url) => !flying.has(url))
      if (fresh.length > 0) {
        const answers = batch(request, fresh, thread)
        for (const url of fresh) {
          const mine = answers.then((all) => {
            if (flying.get(url) === mine) flying.delete(url)
            return all.get(url) ?? { error: 'no answer', timedOut: false }
          })
          flying.set(url, mine)
        }
      }
      return new Map(urls.map((url) => [url, flying.get(url) as Promise<Answer>]))
    },
    forget: () => flying.clear(),
    responseTimes: () => times.read(),
  }
}
