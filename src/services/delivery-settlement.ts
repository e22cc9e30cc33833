import { bounceProfiles } from '../config/sections/bounce-profiles.ts'
import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { destinations } from '../config/sections/destinations.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import { Fault } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import { retryDelayMs } from '../mail/delivery/backoff.ts'
import { bounceTerms, warningsDue } from '../mail/delivery/bounce-terms.ts'
import type { BounceTerms } from '../mail/delivery/bounce-terms.ts'
import { deliveryNotice } from '../mail/delivery/dsn.ts'
import { generatedEntry } from '../mail/delivery/generated.ts'
import { statusReason } from '../mail/delivery/status.ts'
import { termsFor } from '../mail/delivery/terms.ts'
import type { AttemptResult, Failure } from '../mail/delivery/transport.ts'
import { readTrace } from '../mail/trace.ts'
import type {
  Counters,
  Delivery,
  DeliveryQueue,
  NewSpoolEntry,
  QueuedRecipient,
  SpoolEntry,
  SpoolStore,
} from '../store/spool.ts'
import type { HostRecorder } from './host-statistics.ts'

/** One recipient's attempt; `location` and `sha256` tell the delivered copy. */
export interface Attempt {
  readonly row: QueuedRecipient
  readonly result: AttemptResult
  readonly via?: Delivery['via']
  readonly location?: string
  readonly sha256?: string
}

export interface SettlementDeps {
  readonly env: Env
  readonly events: EventBus
  readonly ids: Counters
  readonly config: ConfigReader
  readonly spool: SpoolStore & Pick<DeliveryQueue, 'acceptOnce'>
  readonly hosts: HostRecorder
  readonly offsetSeconds: (at: Date) => number
  readonly signal: AbortSignal
  /** A notification was queued. */
  readonly onQueued: (mid: number) => void
}

const PERSIST_RETRY_MS = 1000
const WARNED = 10_000

/** Turns the results of an attempt into the queue's new state, in one commit each, and tells of it once it is durable. */
export const createDeliverySettlement = (deps: SettlementDeps) => {
  const { env, events, ids, config, spool } = deps

  /** What happened must not be forgotten because the disk is full now: asks until it is recorded or we stop. */
  const persist = async <T>(write: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await write()
      } catch (error) {
        if (!(error instanceof Fault) || (error.code !== 'STORE_FULL' && error.code !== 'STORE_BUSY')) throw error
        await env.clock.sleep(PERSIST_RETRY_MS, deps.signal)
      }
    }
  }

  const recordDelivered = async (entry: SpoolEntry, done: readonly Attempt[], dcid: number, local: boolean) => {
    const deliveredAt = env.clock.now()
    const { receivedId } = readTrace(entry.trace)
    const finished = await persist(() =>
      spool.delivered(
        done.map(({ row, via = 'smtp', location = '', sha256 = '' }) => ({
          mid: entry.mid,
          rootMid: entry.rootMid,
          rid: row.rid,
          recipient: row.address,
          direction: entry.direction,
          sender: entry.sender,
          messageId: entry.messageId,
          subject: entry.subject,
          deliveredAt,
          via,
          location,
          sha256,
          receivedId,
        })),
      ),
    )
    events.publish({ type: 'delivery.done', dcid, mid: entry.mid, rids: done.map((a) => a.row.rid), local })
    if (!local)
      for (const { row, result } of done)
        if (result.ok) {
          // The line shows the words without the code: it was a 250.
          const response = result.response.replace(/^\d{3}[ -]/, '')
          events.publish({ type: 'delivery.response', mid: entry.mid, rid: row.rid, response })
        }
    return finished
  }

  const termsOf = (row: QueuedRecipient): BounceTerms => {
    const { bounceProfile } = termsFor(row.domain, config.get(destinations))
    return bounceTerms(bounceProfile, config.get(bounceProfiles), config.get(deliverySection))
  }

  /** Null when nobody may be told: nothing is ever sent about mail with a null sender (RFC 5321 §4.5.5). */
  const notice = (
    entry: SpoolEntry,
    body: Buffer,
    failed: readonly Failed[],
    about: { readonly terms: BounceTerms; readonly retryUntil?: Date },
  ): NewSpoolEntry | null => {
    if (entry.sender === '' || failed.length === 0) return null
    const { terms, retryUntil } = about
    const to = terms.alternateAddress ?? entry.sender
    const mid = ids.next('mid')
    const { hostname } = config.get(system)
    const at = env.clock.now()
    const bytes = deliveryNotice({
      action: retryUntil ? 'delayed' : 'failed',
      ...(retryUntil ? { retryUntil } : {}),
      dsnFormat: terms.dsnFormat,
      hostname,
      to,
      at,
      receivedAt: entry.receivedAt,
      offsetSeconds: deps.offsetSeconds(at),
      id: `${mid}.${Buffer.from(env.entropy.bytes(8)).toString('hex')}`,
      failed: failed.map(({ row, failure }) => ({ address: row.address, failure })),
      original: body,
    })
    const { offsetSeconds } = deps
    return generatedEntry({ mid, rootMid: mid, hostname, offsetSeconds, sender: '', recipients: [to], bytes }, env)
  }

  const bounce = async (entry: SpoolEntry, body: Buffer, failed: readonly Failed[], dcid: number): Promise<boolean> => {
    const [first] = failed
    const told = failed.filter(({ row }) => termsOf(row).sendBounces)
    const dsn = first ? notice(entry, body, told, { terms: termsOf(first.row) }) : null
    const rids = failed.map((f) => f.row.rid)
    const finished = await persist(() => spool.bounce(entry.mid, rids, dsn))
    for (const { row, failure } of failed) {
      const { status } = failure
      const about = { mid: entry.mid, rid: row.rid, status, reason: statusReason(status) }
      if (entry.sender === '') events.publish({ type: 'delivery.double-bounced', ...about })
      else events.publish({ type: 'delivery.bounced', dcid, ...about, ...details(row, failure) })
    }
    if (dsn) {
      events.publish({ type: 'delivery.bounce-generated', mid: dsn.mid, from: entry.mid })
      announceGenerated(events, dsn)
      deps.onQueued(dsn.mid)
    }
    return finished
  }

  const lifeEnds = (soft: readonly Failed[], terms: BounceTerms): number =>
    Math.min(...soft.map((f) => f.row.queuedAt.getTime())) + terms.maxQueueSeconds * 1000

  const delay = async (entry: SpoolEntry, soft: readonly Failed[], terms: BounceTerms, dcid: number): Promise<void> => {
    const now = env.clock.now().getTime()
    const attempts = Math.max(...soft.map((f) => f.row.attempts))
    const end = lifeEnds(soft, terms)
    const until = new Date(Math.min(now + retryDelayMs(attempts, terms, env.entropy), Math.max(end, now + 1000)))
    const rids = soft.map((f) => f.row.rid)
    await persist(() => spool.delay(entry.mid, rids, until, soft[0]?.failure.response ?? ''))
    for (const { row, failure } of soft) {
      const { status } = failure
      const reason = statusReason(status)
      events.publish({
        type: 'delivery.delayed',
        dcid,
        mid: entry.mid,
        rid: row.rid,
        status,
        reason,
        until,
        ...details(row, failure),
      })
    }
  }

  /** The key makes each warning one, also after a restart. */
  const warn = async (entry: SpoolEntry, body: Buffer, soft: readonly Failed[], terms: BounceTerms): Promise<void> => {
    const [first] = soft
    const due = first ? warningsDue(terms, first.row.queuedAt, env.clock.now()) : 0
    const key = `delay warning ${due} of MID ${entry.mid} RID ${first?.row.rid}`
    if (due === 0 || warned.get(entry.mid) === key) return
    const dsn = notice(entry, body, soft, { terms, retryUntil: new Date(lifeEnds(soft, terms)) })
    if (!dsn) return
    const stands = await persist(() => spool.acceptOnce(key, dsn))
    remember(entry.mid, key)
    if (stands !== dsn.mid) return
    events.publish({ type: 'delivery.delay-warned', mid: dsn.mid, from: entry.mid })
    announceGenerated(events, dsn)
    deps.onQueued(dsn.mid)
  }

  /** The last warning of each message, so that its notice is not built again at every attempt. */
  const warned = new Map<number, string>()
  const remember = (mid: number, key: string): void => {
    warned.delete(mid)
    warned.set(mid, key)
    for (const oldest of warned.keys()) {
      if (warned.size <= WARNED) break
      warned.delete(oldest)
    }
  }

  return {
    persist,
    settle: async (
      entry: SpoolEntry,
      body: Buffer,
      attempts: readonly Attempt[],
      how: { readonly dcid: number; readonly local: boolean },
    ): Promise<void> => {
      const now = env.clock.now().getTime()
      const failures = attempts.flatMap(({ row, result }): readonly Failed[] => {
        if (result.ok) return []
        const { maxRetries, maxQueueSeconds } = termsOf(row)
        const over = row.attempts >= maxRetries || now - row.queuedAt.getTime() >= maxQueueSeconds * 1000
        return [{ row, failure: over && !result.permanent ? expired(result) : result }]
      })
      const done = attempts.filter((a) => a.result.ok)
      const hard = failures.filter((f) => f.failure.permanent)
      const soft = failures.filter((f) => !f.failure.permanent)
      let finished = false
      if (done.length > 0) finished = await recordDelivered(entry, done, how.dcid, how.local)
      const [first] = soft
      if (first) {
        const terms = termsOf(first.row)
        await delay(entry, soft, terms, how.dcid)
        await warn(entry, body, soft, terms)
      }
      if (hard.length > 0) finished = await bounce(entry, body, hard, how.dcid)
      if (finished) events.publish({ type: 'message.finished', mid: entry.mid })
      for (const { row } of done) deps.hosts.settled(row.domain, { ok: true, response: '' })
      for (const { row, failure } of failures) deps.hosts.settled(row.domain, { ok: false, ...failure })
    },
  }
}

export type DeliverySettlement = ReturnType<typeof createDeliverySettlement>

interface Failed {
  readonly row: QueuedRecipient
  readonly failure: Failure
}

const expired = (failure: Failure): Failure => ({ ...failure, permanent: true, status: '5.4.7' })

const details = (row: QueuedRecipient, { code, response }: Failure) => ({
  recipient: row.address,
  code,
  responses: response.split('\n').map((line) => line.replace(/^\d{3}[ -]/, '')),
})

/** The start of a message that was made here; its own words (`was generated …`) come before. */
export const announceGenerated = (events: EventBus, { mid, sender, recipients }: SpoolEntry): void => {
  events.publish({ type: 'message.started', mid, icid: 0 })
  events.publish({ type: 'message.sender', mid, icid: 0, sender })
  for (const { rid, address } of recipients)
    events.publish({ type: 'message.recipient', mid, icid: 0, rid, recipient: address })
  events.publish({ type: 'message.queued', mid })
}
