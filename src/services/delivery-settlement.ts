import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import { Fault } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import { retryDelayMs } from '../mail/delivery/backoff.ts'
import { failureNotice } from '../mail/delivery/dsn.ts'
import { generatedEntry } from '../mail/delivery/generated.ts'
import { statusReason } from '../mail/delivery/status.ts'
import type { AttemptResult, Failure } from '../mail/delivery/transport.ts'
import { readTrace } from '../mail/trace.ts'
import type { Counters, Delivery, NewSpoolEntry, QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'
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
  readonly spool: SpoolStore
  readonly hosts: HostRecorder
  readonly offsetSeconds: (at: Date) => number
  readonly signal: AbortSignal
  /** A notification was queued. */
  readonly onQueued: (mid: number) => void
}

const PERSIST_RETRY_MS = 1000

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

  const notice = (entry: SpoolEntry, body: Buffer, failed: readonly Failed[]): NewSpoolEntry => {
    const mid = ids.next('mid')
    const { hostname } = config.get(system)
    const at = env.clock.now()
    const bytes = failureNotice({
      hostname,
      to: entry.sender,
      at,
      receivedAt: entry.receivedAt,
      offsetSeconds: deps.offsetSeconds(at),
      id: `${mid}.${Buffer.from(env.entropy.bytes(8)).toString('hex')}`,
      failed: failed.map(({ row, failure }) => ({ address: row.address, failure })),
      original: body,
    })
    const { offsetSeconds } = deps
    return generatedEntry(
      { mid, rootMid: mid, hostname, offsetSeconds, sender: '', recipients: [entry.sender], bytes },
      env,
    )
  }

  /** RFC 5321 §4.5.5: nothing is ever sent about mail with a null sender. */
  const bounce = async (entry: SpoolEntry, body: Buffer, failed: readonly Failed[], dcid: number): Promise<boolean> => {
    const dsn = entry.sender === '' ? null : notice(entry, body, failed)
    const rids = failed.map((f) => f.row.rid)
    const finished = await persist(() => spool.bounce(entry.mid, rids, dsn))
    for (const { row, failure } of failed) {
      const { status } = failure
      const about = { mid: entry.mid, rid: row.rid, status, reason: statusReason(status) }
      if (dsn) events.publish({ type: 'delivery.bounced', dcid, ...about, ...details(row, failure) })
      else events.publish({ type: 'delivery.double-bounced', ...about })
    }
    if (dsn) {
      events.publish({ type: 'delivery.bounce-generated', mid: dsn.mid, from: entry.mid })
      announceGenerated(events, dsn)
      deps.onQueued(dsn.mid)
    }
    return finished
  }

  const delay = async (entry: SpoolEntry, soft: readonly Failed[], dcid: number): Promise<void> => {
    const { maxQueueSeconds, ...times } = config.get(deliverySection)
    const now = env.clock.now().getTime()
    const attempts = Math.max(...soft.map((f) => f.row.attempts))
    const end = Math.min(...soft.map((f) => f.row.queuedAt.getTime())) + maxQueueSeconds * 1000
    const until = new Date(Math.min(now + retryDelayMs(attempts, times, env.entropy), Math.max(end, now + 1000)))
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
    settle: async (
      entry: SpoolEntry,
      body: Buffer,
      attempts: readonly Attempt[],
      how: { readonly dcid: number; readonly local: boolean },
    ): Promise<void> => {
      const { maxQueueSeconds, maxRetries } = config.get(deliverySection)
      const now = env.clock.now().getTime()
      const failures = attempts.flatMap(({ row, result }): readonly Failed[] => {
        if (result.ok) return []
        const over = row.attempts >= maxRetries || now - row.queuedAt.getTime() >= maxQueueSeconds * 1000
        return [{ row, failure: over && !result.permanent ? expired(result) : result }]
      })
      const done = attempts.filter((a) => a.result.ok)
      const hard = failures.filter((f) => f.failure.permanent)
      const soft = failures.filter((f) => !f.failure.permanent)
      let finished = false
      if (done.length > 0) finished = await recordDelivered(entry, done, how.dcid, how.local)
      if (soft.length > 0) await delay(entry, soft, how.dcid)
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

const expired = ({ code, response }: Failure): Failure => ({ permanent: true, code, status: '5.4.7', response })

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
