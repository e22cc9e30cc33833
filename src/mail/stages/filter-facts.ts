import { redirect } from '../../config/sections/redirect.ts'
import { sdr } from '../../config/sections/sdr.ts'
import { system } from '../../config/sections/system.ts'
import { urlFiltering } from '../../config/sections/url-filtering.ts'
import { errorText } from '../../core/errors.ts'
import type { LocalTime } from '../../core/localtime.ts'
import type { UrlReputation } from '../../intel/lookup.ts'
import { redirectLink } from '../../intel/url/redirect.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import type { FilterRun } from '../filter/run.ts'
import type { Scanner } from '../pipeline/scanner.ts'
import type { Message, Outcome, StageContext } from '../pipeline/stage.ts'
import type { FilterResult } from '../filter/run.ts'

export interface FilterStageDeps {
  readonly urlReputation: UrlReputation
  readonly scanner: Pick<Scanner, 'count'>
  readonly time: LocalTime
}

const DAY = 86_400_000
const NO_URLS: ReadonlyMap<string, UrlVerdict> = new Map()

/** What the filters of one stage may ask about the message; URL verdicts are looked up once, when a filter wants them. */
export const filterRun = (message: Message, ctx: StageContext, deps: FilterStageDeps): FilterRun => {
  const { entry, parsed, table } = message
  const { mid } = entry
  const { config, env, events, signal } = ctx
  const settings = config.get(urlFiltering)
  let verdicts: Promise<ReadonlyMap<string, UrlVerdict>> | undefined

  const lookUp = (): Promise<ReadonlyMap<string, UrlVerdict>> => {
    if (!settings.enabled || parsed.urls.length === 0) return Promise.resolve(NO_URLS)
    return deps.urlReputation.lookup(
      {
        mid,
        source: 'work_queue',
        connectionGuid: entry.connectionGuid,
        messageGuid: entry.messageGuid,
        urls: [...new Set(parsed.urls.map((u) => u.url))],
        outbound: entry.direction === 'outgoing',
      },
      signal,
    )
  }
  const now = env.clock.now()
  const redirected = (url: string): string | null => {
    const { enabled, baseUrl, key, lifetimeDays } = config.get(redirect)
    if (!enabled || baseUrl === null || key === null) return null
    const expires = new Date(now.getTime() + lifetimeDays * DAY)
    return redirectLink(Buffer.from(key, 'base64'), baseUrl, { url, mid, expires })
  }
  return {
    log: (text) => events.publish({ type: 'filter.log-entry', mid, text }),
    facts: {
      entry,
      parsed,
      findings: message.findings,
      table,
      bytes: message.raw.length,
      hostname: config.get(system).hostname,
      now,
      offsetSeconds: deps.time.offsetSeconds(now),
      exceptionOnEnvelopeOnly: config.get(sdr).exceptionMatchEnvelopeOnly,
      rewriteVisibleText: settings.rewriteTextAndHref,
      redirected,
      random: (max) => env.entropy.int(max),
      urls: () => (verdicts ??= lookUp()),
      count: async (pattern, texts, enough) => {
        try {
          return await deps.scanner.count(
            pattern,
            texts.map((t) => t.content),
            enough,
            signal,
          )
        } catch (error) {
          if (signal.aborted) throw error
          // Not found in time: the message is decided without this rule rather than never.
          events.publish({ type: 'message.unscannable', mid, reason: errorText(error) })
          return 0
        }
      },
      urlMatched: (url, score, what, detail) => events.publish({ type: 'url.matched', mid, url, score, what, detail }),
    },
  }
}

export const outcomeOf = (result: FilterResult): Outcome =>
  result.droppedBy
    ? { next: 'final', action: { kind: 'drop', by: result.droppedBy }, copies: result.copies }
    : {
        next: 'continue',
        edits: result.edits,
        copies: result.copies,
        ...(result.quarantine ? { quarantine: result.quarantine } : {}),
      }
