import type { PyValue } from '../core/python.ts'
import type { EventBus } from '../events/bus.ts'
import type { NewRetrospection, WatchStore } from '../store/repositories/watch.ts'
import { readPage } from './answer.ts'
import type { RetroItem } from './answer.ts'
import type { RetroApi } from './ports.ts'
import { utcSeconds } from './schedule.ts'
import type { ServiceClock } from './service-clock.ts'
import { ServiceTrouble } from './session.ts'
import type { RetroSession } from './session.ts'

const MAX_PAGES = 5000
const MAX_PAGE_SIZE = 1000

export interface QueryDeps {
  readonly events: EventBus
  readonly api: RetroApi
  readonly store: WatchStore
  readonly session: RetroSession
  readonly serviceClock: ServiceClock
  readonly watchHours: number
  readonly pageSize: number
  /** Called once the first query is on its way. */
  readonly onAsked: () => void
}

/** What a retrospection means for this gateway, and why it means nothing when it does. */
const judge = (
  item: RetroItem,
  store: WatchStore,
  watchHours: number,
): NewRetrospection & { reason: string | null } => {
  const watch = store.find(item.emailId, item.url)
  const { emailId, url, at: verdictAt } = item
  const base = { emailId, url, verdictAt, rootMid: watch?.rootMid ?? null, messageId: watch?.messageId ?? null }
  if (!watch) return { ...base, state: 'ignored', reason: `email_id ${emailId} with this URL is not watched here` }
  const age = watch.submittedAt === null ? 0 : verdictAt.getTime() - watch.submittedAt.getTime()
  if (age > watchHours * 3600_000)
    return { ...base, state: 'ignored', reason: `the verdict came later than ${watchHours} hours after submission` }
  return { ...base, state: 'new', reason: null }
}

const recordPage = async (deps: QueryDeps, items: readonly RetroItem[], at: Date): Promise<void> => {
  const turns = items.flatMap(({ emailId, url, at: verdictAt, verdict }) =>
    verdict === 'other' ? [] : [{ emailId, url, verdictAt, withdrawn: verdict === 'withdrawn' }],
  )
  // What is known already and has gone back, or has turned once more.
  if (turns.length > 0) await deps.store.turned(turns)
  const judged = items.filter((i) => i.verdict === 'malicious').map((i) => judge(i, deps.store, deps.watchHours))
  if (judged.length === 0) return
  const fresh = new Set(await deps.store.record(judged, at))
  for (const j of judged)
    if (j.reason !== null && fresh.has(j)) deps.events.publish({ type: 'ecs.ignored', url: j.url, reason: j.reason })
}

/**
 * Asks for everything since then, page by page, and records what is new. A page that brings the query no further is asked
 * for once more at the largest size; after that it counts as a loop. Resolves how far the past is known now.
 * @throws ServiceTrouble
 */
export const queryRetrospections = async (
  deps: QueryDeps,
  from: Date,
  furthest: Date,
  now: Date,
  signal: AbortSignal,
): Promise<Date> => {
  const { events, api, session } = deps
  const failed = (reason: string): void => events.publish({ type: 'ecs.query-failed', reason })
  const start = (): string => utcSeconds(deps.serviceClock.start(from, furthest))
  let begun = start()
  let since = begun
  let pageSize = deps.pageSize
  const asked = new Set<string>()
  for (let page = 0; page < MAX_PAGES; page++) {
    signal.throwIfAborted()
    const registration = await session.registered(signal)
    const query = { since, pageSize }
    const parameters = { page_size: pageSize, since }
    events.publish({ type: 'ecs.query', url: api.queryUrl(registration.regionUri), parameters })
    if (page === 0) deps.onAsked()
    const answer = await session.call((r, s) => api.query(r, query, s), failed, signal)
    if (start() < begun) {
      // The answer shows that the service's clock is not what it was taken for.
      since = begun = start()
      asked.clear()
      continue
    }
    const read = readPage(answer.body)
    if (!read.ok) {
      events.publish({ type: 'ecs.http', url: answer.url, status: answer.status, response: answer.text })
      failed(read.error)
      throw new ServiceTrouble(read.error)
    }
    const { items, malformed, last, more } = read.value
    if (page === 0 && items.length + malformed === 0) events.publish({ type: 'ecs.none-found' })
    events.publish({ type: 'ecs.response', response: answer.body as PyValue })
    if (malformed > 0) failed(`${malformed} of ${items.length + malformed} retrospections could not be read.`)
    await recordPage(deps, items, now)
    if (!more) return now
    asked.add(since)
    if (last !== null && !asked.has(last) && Date.parse(last) >= Date.parse(since)) since = last
    else if (pageSize < MAX_PAGE_SIZE) pageSize = MAX_PAGE_SIZE
    else {
      failed('The service gives the same page again and again.')
      throw new ServiceTrouble('The service gives the same page again and again.')
    }
  }
  // More than one poll takes: the next one goes on from here.
  return new Date(since)
}
