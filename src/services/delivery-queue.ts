import { setMaxListeners } from 'node:events'
import { alternateSources } from '../config/sections/alternate-sources.ts'
import { interfaces } from '../config/sections/interfaces.ts'
import { bounceProfiles } from '../config/sections/bounce-profiles.ts'
import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { destinations as destinationsSection } from '../config/sections/destinations.ts'
import { routeLogins } from '../config/sections/route-logins.ts'
import { smtpRoutes } from '../config/sections/smtp-routes.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigConsumer, ConfigReader, ConfigSection } from '../config/section.ts'
import { startTimer } from '../core/deadline.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { DkimSigner } from '../mail/auth/dkim-sign.ts'
import { faultPauseMs, retryDelayMs } from '../mail/delivery/backoff.ts'
import { generatedEntry } from '../mail/delivery/generated.ts'
import type { Failure, MailboxWriter, SmtpClient } from '../mail/delivery/transport.ts'
import type {
  Counters,
  DeliveryLedger,
  DeliveryQueue,
  QueuedRecipient,
  SpoolEntry,
  SpoolStore,
} from '../store/spool.ts'
import { createConnectionPool } from './connection-pool.ts'
import { createDeliveryAttempts } from './delivery-attempt.ts'
import { announceGenerated } from './delivery-notices.ts'
import { createDeliveryExpiry } from './delivery-expiry.ts'
import { createDeliveryRouting } from './delivery-routing.ts'
import { createDeliverySettlement } from './delivery-settlement.ts'
import { createDestinations } from './destinations.ts'
import type { HostRecorder } from './host-statistics.ts'
import { createRecipientQuota } from './recipient-quota.ts'
import type { Service } from './service.ts'
import type { Suspensions } from './suspensions.ts'
import type { TlsPolicies } from './tls-policies.ts'

export interface DeliveryServiceDeps {
  readonly env: Env
  readonly events: EventBus
  readonly ids: Counters
  readonly config: ConfigReader
  readonly spool: SpoolStore & DeliveryQueue
  readonly ledger: Pick<DeliveryLedger, 'prune'>
  readonly tlsPolicies: TlsPolicies
  readonly smtp: SmtpClient
  readonly mailboxes: MailboxWriter
  readonly signer: DkimSigner
  readonly hosts: HostRecorder
  readonly suspensions: Pick<Suspensions, 'delivery'>
  /** Of this machine: nobody's MX leads back to them. */
  readonly ownAddresses?: () => readonly string[]
  /** How long a connection waits for the next message to its hop; 0 = not at all. */
  readonly keepConnectionMs?: number
  /** Seconds east of UTC, for dates in headers. */
  readonly offsetSeconds: (at: Date) => number
}

/** Mail that the appliance sends itself. The key makes a repeated call send once. */
export interface LocalMail {
  readonly key: string
  /** '' = the null sender. */
  readonly from: string
  readonly to: readonly string[]
  /** The whole message, CRLF line ends. */
  readonly message: Uint8Array
}

export interface DeliveryService extends Service {
  /** A message has entered the queue. */
  notify(mid: number): void
  /** Resolves with its MID when it is durable. */
  enqueueLocal(mail: LocalMail): Promise<number>
  /** Waits until nothing is under way and nothing is due. */
  idle(): Promise<void>
  readonly hold: QueueHold
  /** New routes and times act at once: hosts that were down are tried again. */
  readonly consumers: readonly ConfigConsumer<never>[]
}

/** For those who work on the queue beside delivery: nothing is touched that is under way. */
export interface QueueHold {
  /** Those of `rows` that are not under way; delivery leaves them alone until `give`. */
  take(rows: readonly QueuedRecipient[]): readonly QueuedRecipient[]
  give(rows: readonly QueuedRecipient[]): void
  /** Ends recipients that were taken, with a notification to the sender. */
  fail(entry: SpoolEntry, body: Buffer, rows: readonly QueuedRecipient[], failure: Failure): Promise<void>
  /** Tries hosts that were down again, and what has become due; null = all. */
  retry(domain: string | null): void
  /** Waits for deliveries under way, as long as `graceMs`, then ends them; what they did not finish stays queued. */
  quiesce(concerned: (domain: string) => boolean, graceMs: number): Promise<void>
  /** Destinations with something due or under way. */
  destinations(): number
}

/** Recipients that one look at the queue brings. */
const BATCH = 100
/** Messages of one job are a tenth of what is due, so that others of the domain have theirs, but not fewer than this. */
const SHARE = 10
const LEAST = 5
/** A connection waits so long for the next message to its hop. */
const KEEP_CONNECTION_MS = 2000
const DAY_MS = 86_400_000
/** Verdicts act for a week after submission, held copies are kept as long again and more; older deliveries serve nobody. */
const LEDGER_DAYS = 35

/** The delivery queue: fair between domains, woken by what happens and by the clock, resumed after a restart. */
export const createDeliveryService = (deps: DeliveryServiceDeps): DeliveryService => {
  const { env, events, ids, config, spool } = deps
  const ended = new AbortController()
  setMaxListeners(0, ended.signal)
  const routing = createDeliveryRouting(config)
  const destinations = createDestinations(routing)
  const quota = createRecipientQuota(env.clock)
  const pool = createConnectionPool({
    env,
    keepMs: deps.keepConnectionMs ?? KEEP_CONNECTION_MS,
    closed: ({ dcid, domain }) => {
      events.publish({ type: 'delivery.closed', dcid })
      deps.hosts.closed(domain)
    },
  })
  const settlement = createDeliverySettlement({ ...deps, signal: ended.signal, onQueued: (mid) => notify(mid) })
  const attempts = createDeliveryAttempts({ ...deps, settlement, pool, routing })
  const jobs = new Set<Promise<void>>()
  /** The domain of each delivery under way, by what ends it. */
  const running = new Map<AbortController, string>()
  let startedAt = env.clock.now()
  let scannedTo = new Date(0)
  let accepting = false
  let pumping = false
  let again = false
  let scheduled = false
  let wakeNever = (): void => undefined
  const idleWaiters: (() => void)[] = []

  const now = (): number => env.clock.now().getTime()

  const notify = (mid: number): void => {
    for (const row of spool.queued(mid)) destinations.ready(row.domain)
    soon()
  }

  /** What arrives and what ends in one turn of the event loop is looked at together. */
  const soon = (): void => {
    if (scheduled) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      pump()
    })
  }

  const track = (job: Promise<void>): void => {
    jobs.add(job)
    void job.finally(() => {
      jobs.delete(job)
      soon()
    })
  }

  const fault = (error: unknown): void =>
    events.publish({
      type: 'system.fault',
      code: 'INTERNAL',
      where: 'delivery',
      error: errorText(error),
      reference: Buffer.from(env.entropy.bytes(4)).toString('hex'),
    })

  const expiry = createDeliveryExpiry({
    config,
    spool,
    settlement,
    destinations,
    fault: (error) => {
      if (!ended.signal.aborted) fault(error)
      return now() + faultPauseMs(1)
    },
  })

  const runJob = async (domain: string, rows: readonly QueuedRecipient[]): Promise<void> => {
    let downUntil: number | null = 0
    let faulted = false
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    running.set(stop, domain)
    try {
      const failure = await attempts.run(domain, rows, startedAt, stop.signal)
      if (!stop.signal.aborted) deps.hosts.tried(domain, failure === null)
      if (failure) downUntil = null
    } catch (error) {
      if (!stop.signal.aborted) fault(error)
      faulted = true
      downUntil = null
    } finally {
      running.delete(stop)
    }
    const failures = destinations.done(domain, rows, downUntil !== 0)
    if (faulted) downUntil = now() + faultPauseMs(failures)
    downUntil ??= now() + retryDelayMs(failures - 1, config.get(deliverySection), env.entropy)
    if (downUntil > 0) destinations.down(domain, downUntil)
    else destinations.ready(domain)
  }

  const startJobs = (at: number): void => {
    const { maxConcurrency } = config.get(deliverySection)
    if (jobs.size >= maxConcurrency) return
    for (const domain of destinations.turns(at)) {
      if (jobs.size >= maxConcurrency) return
      const terms = routing.termsOf(domain)
      if (destinations.jobs(domain) >= terms.concurrency || deps.suspensions.delivery(domain)) continue
      const due = spool.dueFor(domain, new Date(at), destinations.claims(domain) + BATCH)
      const rows = due.filter((r) => !destinations.claimed(r)).slice(0, BATCH)
      if (rows.length === 0) {
        destinations.settled(domain)
        continue
      }
      // A domain that was down is tried by one job; the others follow when that one got through.
      const all = fairShare(rows, destinations.probing(domain))
      const room = terms.recipients === null ? all.length : quota.room(domain, terms.recipients.max)
      if (room === 0) {
        destinations.hold(domain, quota.freeAt(domain))
        continue
      }
      const share = all.slice(0, room)
      if (terms.recipients !== null) quota.take(domain, share.length, terms.recipients.minutes)
      destinations.claim(domain, share)
      track(runJob(domain, share))
    }
  }

  const pump = (): void => {
    if (pumping) {
      again = true
      return
    }
    if (!accepting) return
    pumping = true
    try {
      do {
        again = false
        const at = now()
        if (at < scannedTo.getTime()) scannedTo = new Date(0)
        for (const domain of spool.dueDomains(scannedTo, new Date(at))) destinations.ready(domain)
        scannedTo = new Date(at)
        const giving = expiry.start(at)
        if (giving) track(giving.catch(fault))
        startJobs(at)
      } while (again)
    } catch (error) {
      fault(error)
    } finally {
      pumping = false
    }
    sleepOn()
    if (jobs.size === 0 && !scheduled) for (const wake of idleWaiters.splice(0)) wake()
  }

  /** Until the next recipient is due or a host may be tried again; any `pump` before ends the sleep. */
  const sleepOn = (): void => {
    wakeNever()
    const due = spool.nextDueAfter(scannedTo)?.getTime() ?? Infinity
    const at = Math.min(due, destinations.nextRetry() ?? Infinity, expiry.pausedUntil(now()) ?? Infinity)
    if (at === Infinity || !accepting) return
    wakeNever = startTimer(env.clock, Math.max(1, at - now()), pump)
  }

  const pruneDaily = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await deps.ledger.prune(new Date(now() - LEDGER_DAYS * DAY_MS)).catch(fault)
      await env.clock.sleep(DAY_MS, ended.signal)
    }
  }

  const hold: QueueHold = {
    take: (rows) => {
      const free = rows.filter((r) => !destinations.claimed(r))
      for (const [domain, own] of byDomain(free)) destinations.claim(domain, own)
      return free
    },
    give: (rows) => {
      for (const [domain, own] of byDomain(rows)) destinations.release(domain, own)
      pump()
    },
    fail: (entry, body, rows, failure) =>
      settlement.settle(
        entry,
        body,
        rows.map((row) => ({ row, result: { ok: false, ...failure } })),
        { dcid: 0, local: false },
      ),
    retry: (domain) => {
      if (domain === null) {
        destinations.retryAll()
        // What was made due lies behind what has been looked at.
        scannedTo = new Date(0)
      } else destinations.retry(domain)
      pump()
    },
    quiesce: async (concerned, graceMs) => {
      const mine = () => [...running].filter(([, domain]) => concerned(domain))
      const until = env.clock.monotonic() + graceMs
      while (mine().length > 0 && env.clock.monotonic() < until) await env.clock.sleep(Math.min(50, graceMs))
      for (const [stop] of mine()) stop.abort(new Error('suspended'))
    },
    destinations: () => destinations.size,
  }

  const wakeAll = (): void => {
    destinations.retryAll()
    pump()
  }
  const consumer = <T>(section: ConfigSection<T>) =>
    ({
      section,
      apply: async () => {
        await Promise.resolve()
        // The new settings are the running ones once every consumer has applied.
        setImmediate(wakeAll)
      },
    }) as unknown as ConfigConsumer<never>

  return {
    name: 'delivery',
    start: async () => {
      await Promise.resolve()
      startedAt = env.clock.now()
      accepting = true
      void pruneDaily().catch(() => undefined)
      pump()
    },
    stop: async (graceMs) => {
      accepting = false
      wakeNever()
      const late = new AbortController()
      const grace = env.clock.sleep(graceMs, late.signal).catch(() => undefined)
      await Promise.race([Promise.allSettled([...jobs]), grace])
      ended.abort(new Error('stopped'))
      for (const stop of running.keys()) stop.abort(ended.signal.reason)
      late.abort()
      await Promise.allSettled([...jobs])
      pool.close()
    },
    health: () => ({ state: accepting ? 'up' : 'down', detail: `${jobs.size} deliveries under way`, since: startedAt }),
    hold,
    notify,
    enqueueLocal: async ({ key, from, to, message }) => {
      const mid = ids.next('mid')
      const { hostname } = config.get(system)
      const bytes = Buffer.from(message)
      const { offsetSeconds } = deps
      const entry = generatedEntry(
        { mid, rootMid: mid, hostname, offsetSeconds, sender: from, recipients: to, bytes },
        env,
      )
      const stands = await spool.acceptOnce(key, entry)
      if (stands !== mid) return stands
      announceGenerated(events, entry)
      notify(mid)
      return mid
    },
    idle: async () => {
      if (jobs.size > 0 || scheduled) await new Promise<void>((resolve) => idleWaiters.push(resolve))
    },
    consumers: [
      consumer(smtpRoutes),
      consumer(deliverySection),
      consumer(destinationsSection),
      consumer(bounceProfiles),
      consumer(routeLogins),
      consumer(alternateSources),
      consumer(interfaces),
    ],
  }
}

const byDomain = (rows: readonly QueuedRecipient[]): ReadonlyMap<string, readonly QueuedRecipient[]> => {
  const domains = new Map<string, QueuedRecipient[]>()
  for (const row of rows) {
    const own = domains.get(row.domain)
    if (own) own.push(row)
    else domains.set(row.domain, [row])
  }
  return domains
}

/** A part of what is due; a message stays whole. A hop that is probed gets one message. */
const fairShare = (rows: readonly QueuedRecipient[], probing: boolean): readonly QueuedRecipient[] => {
  const mids = [...new Set(rows.map((r) => r.mid))]
  const mine = new Set(mids.slice(0, probing ? 1 : Math.max(LEAST, Math.ceil(mids.length / SHARE))))
  return rows.filter((r) => mine.has(r.mid))
}
