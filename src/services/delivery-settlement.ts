import { bounceProfiles } from '../config/sections/bounce-profiles.ts'
import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { destinations } from '../config/sections/destinations.ts'
import { Fault } from '../core/errors.ts'
import { retryDelayMs } from '../mail/delivery/backoff.ts'
import { bounceTerms } from '../mail/delivery/bounce-terms.ts'
import type { BounceTerms } from '../mail/delivery/bounce-terms.ts'
import { statusReason } from '../mail/delivery/status.ts'
import { termsFor } from '../mail/delivery/terms.ts'
import type { AttemptResult, Failure } from '../mail/delivery/transport.ts'
import { readTrace } from '../mail/trace.ts'
import type { Delivery, DeliveryQueue, QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'
import { createDeliveryNotices } from './delivery-notices.ts'
import type { DeliveryNoticesDeps, Told } from './delivery-notices.ts'
import type { HostRecorder } from './host-statistics.ts'

/** One recipient's attempt; `location` and `sha256` tell the delivered copy. */
export interface Attempt {
  readonly row: QueuedRecipient
  readonly result: AttemptResult
  readonly via?: Delivery['via']
  readonly location?: string
  readonly sha256?: string
}

/** How an attempt was made. */
export interface Way {
  /** 0 = without a connection. */
  readonly dcid: number
  /** Into the embedded mailboxes. */
  readonly local: boolean
  /** The next hop has taken over what was asked about notifications. */
  readonly dsn?: boolean
  readonly remote?: string
}

export interface SettlementDeps extends DeliveryNoticesDeps {
  readonly spool: SpoolStore & Pick<DeliveryQueue, 'acceptOnce'>
  readonly hosts: HostRecorder
  readonly signal: AbortSignal
}

const PERSIST_RETRY_MS = 1000

/** Turns the results of an attempt into the queue's new state, in one commit each, and tells of it once it is durable. */
export const createDeliverySettlement = (deps: SettlementDeps) => {
  const { env, events, config, spool } = deps
  const notices = createDeliveryNotices(deps)

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

  const bounce = async (entry: SpoolEntry, body: Buffer, failed: readonly Failed[], dcid: number): Promise<boolean> => {
    const dsn = notices.failure(entry, body, failed.map(told), termsOf)
    const rids = failed.map((f) => f.row.rid)
    const finished = await persist(() => spool.bounce(entry.mid, rids, dsn))
    for (const { row, failure } of failed) {
      const { status } = failure
      const about = { mid: entry.mid, rid: row.rid, status, reason: statusReason(status) }
      if (entry.sender === '') events.publish({ type: 'delivery.double-bounced', ...about })
      else events.publish({ type: 'delivery.bounced', dcid, ...about, ...details(row, failure) })
    }
    if (dsn) notices.announceFailure(dsn, entry.mid)
    return finished
  }

  /** A next hop that takes over what was asked tells of it itself. */
  const tellSuccess = async (entry: SpoolEntry, body: Buffer, done: readonly Attempt[], how: Way): Promise<void> => {
    const [first] = done
    if (!first || how.dsn === true) return
    const all = done.map(({ row, result }): Told => {
      const response = result.response === '' ? 'delivered' : result.response
      const at = how.remote === undefined ? {} : { remote: how.remote }
      return {
        row,
        outcome: { code: how.local ? '000' : '250', status: how.local ? '2.1.5' : '2.0.0', response, ...at },
      }
    })
    const action = how.local ? 'delivered' : 'relayed'
    await persist(() => notices.success(entry, body, all, termsOf(first.row), action))
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

  return {
    persist,
    settle: async (entry: SpoolEntry, body: Buffer, attempts: readonly Attempt[], how: Way): Promise<void> => {
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
      if (done.length > 0) {
        await tellSuccess(entry, body, done, how)
        finished = await recordDelivered(entry, done, how.dcid, how.local)
      }
      const [first] = soft
      if (first) {
        const terms = termsOf(first.row)
        await delay(entry, soft, terms, how.dcid)
        const until = new Date(lifeEnds(soft, terms))
        await persist(() => notices.delay(entry, body, soft.map(told), terms, until))
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

const told = ({ row, failure }: Failed): Told => ({ row, outcome: failure })

const expired = (failure: Failure): Failure => ({ ...failure, permanent: true, status: '5.4.7' })

const details = (row: QueuedRecipient, { code, response }: Failure) => ({
  recipient: row.address,
  code,
  responses: response.split('\n').map((line) => line.replace(/^\d{3}[ -]/, '')),
})
