import type { ConfigReader } from '../../config/section.ts'
import { sdr } from '../../config/sections/sdr.ts'
import { withDeadline } from '../../core/deadline.ts'
import type { Env } from '../../core/env.ts'
import { createLru } from '../../core/lru.ts'
import type { EventBus } from '../../events/bus.ts'
import type { FirstSeenStore } from '../../store/repositories/intel.ts'
import type { IntelLookup } from '../lookup.ts'
import type { SenderQuery, SenderVerdict } from '../verdict.ts'
import { createExceptions } from './exceptions.ts'
import { createMaturity, MATURE_DAYS } from './maturity.ts'
import type { Maturity } from './maturity.ts'
import type { SdrResult, SenderReputation } from './port.ts'
import { makeTracker } from './tracker.ts'

const UNSCANNED = {
  timedOut: 'Service Temporarily Unavailable.',
  other: 'Unknown error.',
  nothing: 'No domain to query.',
}

/** Answers are believed for so long: both looks at a message and the next ones of the same sender ask once. */
const KEEP_MS = 60_000
const KEPT = 50_000

/** Domains of organisations that answer for the message: their ages count. */
const senders = (query: SenderQuery): readonly string[] =>
  [query.headerFrom, query.envelopeFrom, query.replyTo].filter((d): d is string => d !== null && d !== '')

/** Without Include Additional Attributes user parts and display names do not leave the appliance. */
const submitted = (query: SenderQuery, additional: boolean): SenderQuery => {
  if (query.userParts === undefined && query.displayNames === undefined) return query
  const { userParts, displayNames, ...rest } = query
  if (!additional) return rest
  return { ...rest, ...(userParts ? { userParts } : {}), ...(displayNames ? { displayNames } : {}) }
}

/** Adds what this gateway knows itself to what the service said. */
const withMaturity = (verdict: SenderVerdict, query: SenderQuery, maturity: Maturity): SenderVerdict => {
  const domains = senders(query)
  const own = domains
    .filter((domain) => domain !== verdict.ageDomain)
    .flatMap((domain) => {
      const days = maturity.days(domain)
      return days === null ? [] : [{ domain, days }]
    })
  const known = verdict.ageDays === null ? [] : [{ domain: verdict.ageDomain ?? '', days: verdict.ageDays }]
  const youngest = [...known, ...own].sort((a, b) => a.days - b.days)[0]
  // Every domain is long known here and nobody said anything: no strong signs either way.
  const mature = own.length > 0 && own.every((o) => o.days >= MATURE_DAYS)
  return {
    ...verdict,
    level: verdict.level === 'unknown' && mature ? 'neutral' : verdict.level,
    ageDays: youngest?.days ?? null,
    ageDomain: youngest?.domain ?? domains[0] ?? null,
  }
}

export const createSenderReputation = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly config: ConfigReader
  readonly lookup: () => IntelLookup
  readonly firstSeen: FirstSeenStore
  /** 32 random bytes that stay the same across restarts. */
  readonly trackerKey: Uint8Array
}): SenderReputation & { flush(): void } => {
  const { env, events, config, trackerKey } = deps
  const exceptions = createExceptions(config)
  const maturity = createMaturity(deps.firstSeen, env.clock)
  const answers = createLru<SenderVerdict>(KEPT, env.clock)
  // What is asked while the cache is flushed is older than the flush.
  let epoch = 0

  const ask = async (query: SenderQuery, seconds: number, signal: AbortSignal): Promise<SenderVerdict> => {
    const key = JSON.stringify(query)
    const known = answers.get(key)
    if (known) return known
    const asked = epoch
    const answer = await withDeadline(env.clock, seconds * 1000, signal, (s) => deps.lookup().sender(query, s))
    if (asked === epoch) answers.set(key, answer, KEEP_MS)
    return answer
  }

  const judged = async (mid: number, query: SenderQuery, signal: AbortSignal): Promise<SdrResult> => {
    const { timeoutSeconds, additionalAttributes, vocabulary } = config.get(sdr)
    const { reverseHost, helo, envelopeFrom, headerFrom, replyTo } = query
    events.publish({ type: 'sdr.requested', mid, reverseHost, helo, envelopeFrom, headerFrom, replyTo })
    const unscanned = (reason: string): SdrResult => {
      events.publish({ type: 'sdr.unscanned', mid, reason })
      return { kind: 'unscanned', reason }
    }
    if ([reverseHost, helo, envelopeFrom, headerFrom, replyTo].every((d) => d === null || d === ''))
      return unscanned(UNSCANNED.nothing)
    let answer: SenderVerdict
    try {
      answer = await ask(submitted(query, additionalAttributes), timeoutSeconds, signal)
    } catch (error) {
      const code = (error as { code?: string }).code
      return unscanned(code === 'TIMED_OUT' || code === 'UPSTREAM_UNAVAILABLE' ? UNSCANNED.timedOut : UNSCANNED.other)
    }
    // The older words tell the age of the domain, which only sources know; the newer its maturity, which we know too.
    const verdict =
      vocabulary === 'threat_level'
        ? withMaturity(answer, query, maturity)
        : { ...answer, ageDomain: answer.ageDomain ?? senders(query)[0] ?? null }
    const { level, category, suspected, ageDays, ageDomain } = verdict
    events.publish({ type: 'sdr.verdict', mid, vocabulary, level, category, suspected, ageDays, ageDomain })
    return { kind: 'verdict', verdict }
  }

  return {
    flush: () => {
      epoch++
      answers.clear()
    },
    judge: async (pass, mid, query, signal) => {
      const { enabled, vocabulary } = config.get(sdr)
      if (!enabled || (pass === 'envelope' && vocabulary !== 'threat_level')) return { kind: 'off' }
      const excepted = exceptions(query)
      if (excepted) {
        // One line a message: the pass over the envelope may not know the domain yet, the one over the headers does.
        if (pass === 'headers') events.publish({ type: 'sdr.excepted', mid, ...excepted })
        return { kind: 'excepted', ...excepted }
      }
      const result = await judged(mid, query, signal)
      if (pass === 'envelope' || result.kind !== 'verdict') return result
      const tracker = makeTracker(trackerKey, { at: env.clock.now(), mid, level: result.verdict.level })
      events.publish({ type: 'sdr.tracker', mid, tracker })
      // Noted after it was judged: a message is no evidence for itself. A full disk does not make mail unscannable.
      await maturity.note(senders(query)).catch(() => undefined)
      return { ...result, tracker }
    },
  }
}
