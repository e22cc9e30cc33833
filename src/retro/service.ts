import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import { urlRetrospection } from '../config/sections/url-retrospection.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { Fault, errorText } from '../core/errors.ts'
import { createInTurn } from '../core/in-turn.ts'
import type { EventBus } from '../events/bus.ts'
import type { AlertService } from '../logs/alerts.ts'
import type { Retrospection, WatchStore } from '../store/repositories/watch.ts'
import { actOnRetrospections, actOnTurns } from './act.ts'
import type { RemediationSink } from './act.ts'
import type { RetroApi, RetroService, WatchedUrl } from './ports.ts'
import { queryRetrospections } from './query.ts'
import { furthestSince, pollDelay, querySince } from './schedule.ts'
import { readCause } from './answer.ts'
import { createServiceClock } from './service-clock.ts'
import { ServiceTrouble, createRetroSession } from './session.ts'
import { createSteadyTime } from '../core/steady.ts'
import { submitPending } from './submit.ts'

export interface RetroDeps {
  readonly env: Env
  readonly config: ConfigReader
  readonly events: EventBus
  readonly alerts: AlertService
  readonly store: WatchStore
  readonly api: RetroApi
  readonly remediation: RemediationSink & { drain(signal: AbortSignal): Promise<void>; wake(): void }
}

export interface RetroRuntime extends RetroService {
  readonly name: string
  readonly consumer: ConfigConsumer<ConfigOf>
  start(config: ConfigReader, signal: AbortSignal): Promise<void>
  stop(graceMs: number): Promise<void>
  health(): {
    readonly state: 'up' | 'degraded' | 'down' | 'disabled'
    readonly detail?: string
    readonly since: Date
  }
}
type ConfigOf = typeof urlRetrospection.defaults

const MAX_WATCHED = 2_000_000
const MAX_URL = 8192
const PRUNE_EVERY_MS = 3600_000
type PollResult = Awaited<ReturnType<RetroService['poll']>>

/** URL retrospection: journals, submits, polls, tells, hands over, prunes. */
export const createRetro = (deps: RetroDeps): RetroRuntime => {
  const { env, config, events, alerts, store, api, remediation } = deps
  const { clock, entropy } = env
  const serviceClock = createServiceClock({ clock, events, store })
  const session = createRetroSession({ clock, events, api, store, serviceClock })
  const steady = createSteadyTime(clock)
  const settings = (): ConfigOf => config.get(urlRetrospection)

  let since = clock.now()
  let connected = false
  let detail = 'not polled yet'
  let lastPollAt: Date | null = null
  let failures = 0
  let retryAfterMs = 0
  let journalled = 0
  /** Set while the poller runs. */
  let running: { readonly control: AbortController; readonly loops: Promise<unknown> } | null = null
  let host: AbortSignal | null = null

  const setConnected = (now: boolean, why: string): void => {
    if (now !== connected) since = clock.now()
    connected = now
    detail = why
  }

  const tell = (fault: unknown): void =>
    events.publish({
      type: 'system.fault',
      code: fault instanceof Fault ? fault.code : 'INTERNAL',
      where: 'url retrospection',
      error: errorText(fault),
      reference: uuid(entropy).slice(0, 8),
    })

  /** Which source turned a URL; a service that cannot say so does not hold anything up. */
  const causeOf =
    (signal: AbortSignal) =>
    async (r: Retrospection): Promise<string | null> => {
      try {
        const answer = await session.call(
          (registration, s) => api.cause(registration, r, s),
          () => undefined,
          signal,
        )
        return readCause(answer.body)
      } catch {
        signal.throwIfAborted()
        return null
      }
    }

  const cycle = async (signal: AbortSignal, onAsked: () => void): Promise<PollResult> => {
    const { watchHours, lookBackSeconds, pageSize } = settings()
    let error: string | null = null
    let fault: unknown = null
    try {
      await submitPending({ clock, events, api, store, session }, watchHours, signal)
    } catch (caught) {
      // The submissions stay journalled; what the service knows already is still asked for.
      signal.throwIfAborted()
      if (!(caught instanceof ServiceTrouble)) fault = caught
      error = errorText(caught)
    }
    events.publish({ type: 'ecs.poll-started' })
    try {
      const now = steady.now()
      const from = querySince(now, store.polledTo(), { lookBackSeconds, watchHours })
      const furthest = furthestSince(now, { lookBackSeconds, watchHours })
      const asked = { events, api, store, session, serviceClock, watchHours, pageSize, onAsked }
      const known = await queryRetrospections(asked, from, furthest, now, signal)
      await store.setPolledTo(known, serviceClock.offsetMs())
      serviceClock.settled()
      lastPollAt = clock.now()
      failures = retryAfterMs = 0
      setConnected(true, 'the last poll was answered')
    } catch (caught) {
      signal.throwIfAborted()
      if (!(caught instanceof ServiceTrouble)) fault = caught
      error = errorText(caught)
      failures += 1
      retryAfterMs = caught instanceof ServiceTrouble ? caught.retryAfterMs : 0
      setConnected(false, error)
    }
    events.publish({ type: 'ecs.poll-finished' })
    let outcome = { retrospections: 0, acted: 0 }
    try {
      outcome = await actOnRetrospections({ events, alerts, store, remediation, cause: causeOf(signal) }, signal)
      await actOnTurns({ events, store, remediation }, signal)
    } catch (caught) {
      signal.throwIfAborted()
      fault = caught
      error = errorText(caught)
    }
    if (outcome.acted > 0) remediation.wake()
    if (fault !== null) tell(fault)
    const { watched, pending } = store.counts()
    journalled = watched + pending
    return { ...outcome, error }
  }

  /** Polls never overlap: each waits for the one before it. */
  const inTurn = createInTurn()

  const pollLoop = async (signal: AbortSignal, onAsked: () => void): Promise<void> => {
    for (;;) {
      try {
        await inTurn(() => cycle(signal, onAsked))
      } catch (caught) {
        signal.throwIfAborted()
        failures += 1
        tell(caught)
      }
      await clock.sleep(pollDelay(settings().pollSeconds, failures, retryAfterMs, entropy), signal)
    }
  }

  const pruneLoop = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(PRUNE_EVERY_MS, signal)
      const before = new Date(steady.now().getTime() - (settings().watchHours + 24) * 3600_000)
      const urls = await store.prune(before).catch(() => 0)
      if (urls > 0) events.publish({ type: 'ecs.pruned', urls })
    }
  }

  const startPolling = (): void => {
    if (running || !host || host.aborted) return
    const control = new AbortController()
    const signal = AbortSignal.any([host, control.signal])
    failures = retryAfterMs = 0
    events.publish({ type: 'ecs.poller-starting' })
    events.publish({ type: 'ecs.remediation-notified' })
    events.publish({ type: 'ecs.cloud-polling-starting' })
    events.publish({ type: 'ecs.remediation-initiated' })
    if (remediation.pending() === 0) events.publish({ type: 'ecs.remediation-idle' })
    else remediation.wake()
    let pruning: Promise<void> | null = null
    // As in the reference: pruning and the steady polling come up while the first query is on its way.
    const onAsked = (): void => {
      if (pruning) return
      events.publish({ type: 'ecs.pruning-starting' })
      pruning = pruneLoop(signal).catch(() => undefined)
      events.publish({ type: 'ecs.retro-polling-starting' })
    }
    running = { control, loops: pollLoop(signal, onAsked).catch(() => undefined) }
  }

  const stopPolling = async (): Promise<void> => {
    if (!running) return
    const { control, loops } = running
    running = null
    control.abort()
    await loops
    setConnected(false, 'the service is disabled')
    events.publish({ type: 'ecs.stopped' })
  }

  const journal = async (urls: readonly WatchedUrl[]): Promise<void> => {
    const room = Math.max(0, MAX_WATCHED - journalled)
    const incoming = urls.filter((u) => u.direction === 'incoming')
    const fits = incoming.filter((u) => u.url.length <= MAX_URL).slice(0, room)
    for (const u of incoming.filter((i) => !fits.includes(i)))
      events.publish({
        type: 'ecs.ignored',
        url: u.url,
        reason: u.url.length > MAX_URL ? 'the URL is too long to be watched' : 'the watch journal is full',
      })
    if (fits.length === 0) return
    const ids = new Map(fits.map((u) => [u.rootMid, '']))
    for (const mid of ids.keys()) ids.set(mid, uuid(entropy))
    journalled += await store.watch(
      fits.map(({ rootMid, messageId, url }) => ({ rootMid, messageId, url, emailId: ids.get(rootMid) ?? '' })),
      clock.now(),
    )
  }

  return {
    name: 'url_retrospection',
    watch: async (urls) => {
      if (settings().enabled) await journal(urls)
    },
    status: () => {
      const { watched, pending } = store.counts()
      const on = settings().enabled
      return {
        state: on && connected ? 'Connected' : 'Unavailable',
        detail: on ? detail : 'the service is disabled',
        lastPollAt,
        watched,
        pending,
      }
    },
    poll: async (signal) => {
      if (!settings().enabled) return { retrospections: 0, acted: 0, error: 'URL Retro Service is disabled.' }
      const until = AbortSignal.any([signal, ...(host ? [host] : []), ...(running ? [running.control.signal] : [])])
      try {
        const result = await inTurn(() => cycle(until, () => undefined))
        await remediation.drain(until)
        return result
      } catch (caught) {
        if (signal.aborted || !until.aborted) throw caught
        return { retrospections: 0, acted: 0, error: 'the service was stopped.' }
      }
    },
    consumer: {
      section: urlRetrospection,
      apply: async (next, previous) => {
        if (!next.enabled) await stopPolling()
        else if (!running) startPolling()
        else if (next.pollSeconds !== previous.pollSeconds) {
          await stopPolling()
          startPolling()
        }
      },
    },
    start: async (reader, signal) => {
      host = signal
      const { watched, pending } = store.counts()
      journalled = watched + pending
      if (reader.get(urlRetrospection).enabled) startPolling()
      await Promise.resolve()
    },
    stop: async () => {
      await stopPolling()
      host = null
    },
    health: () => ({
      state: !settings().enabled ? 'disabled' : connected ? 'up' : 'degraded',
      detail,
      since,
    }),
  }
}
