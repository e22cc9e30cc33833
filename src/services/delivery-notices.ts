import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import type { EventBus } from '../events/bus.ts'
import { warningsDue } from '../mail/delivery/bounce-terms.ts'
import type { BounceTerms } from '../mail/delivery/bounce-terms.ts'
import { deliveryNotice } from '../mail/delivery/dsn.ts'
import type { NoticeAction } from '../mail/delivery/dsn.ts'
import { generatedEntry } from '../mail/delivery/generated.ts'
import { askedOf, wants } from '../mail/delivery/notify.ts'
import type { Failure } from '../mail/delivery/transport.ts'
import type { Counters, DeliveryQueue, NewSpoolEntry, QueuedRecipient, SpoolEntry } from '../store/spool.ts'

export interface DeliveryNoticesDeps {
  readonly env: Env
  readonly events: EventBus
  readonly ids: Counters
  readonly config: ConfigReader
  readonly spool: Pick<DeliveryQueue, 'acceptOnce'>
  readonly offsetSeconds: (at: Date) => number
  /** A notification was queued. */
  readonly onQueued: (mid: number) => void
}

/** What is told of one recipient. */
export interface Told {
  readonly row: QueuedRecipient
  readonly outcome: Omit<Failure, 'permanent'>
}

const WARNED = 10_000

/** Delivery status notifications: who hears what, once each. */
export const createDeliveryNotices = (deps: DeliveryNoticesDeps) => {
  const { env, events, ids, config, spool } = deps

  /** Null when nobody may be told: nothing is ever sent about mail with a null sender (RFC 5321 §4.5.5). */
  const make = (
    entry: SpoolEntry,
    body: Buffer,
    told: readonly Told[],
    about: { readonly action: NoticeAction; readonly terms: BounceTerms; readonly retryUntil?: Date },
  ): NewSpoolEntry | null => {
    if (entry.sender === '' || told.length === 0) return null
    const { terms, action, retryUntil } = about
    const success = action === 'relayed' || action === 'delivered'
    const to = success ? entry.sender : (terms.alternateAddress ?? entry.sender)
    const mid = ids.next('mid')
    const { hostname } = config.get(system)
    const at = env.clock.now()
    const { offsetSeconds } = deps
    const bytes = deliveryNotice({
      action,
      ...(retryUntil ? { retryUntil } : {}),
      dsnFormat: terms.dsnFormat,
      hostname,
      to,
      at,
      receivedAt: entry.receivedAt,
      offsetSeconds: offsetSeconds(at),
      id: `${mid}.${Buffer.from(env.entropy.bytes(8)).toString('hex')}`,
      recipients: told.map(({ row, outcome }) => {
        const { orcpt } = askedOf(entry, row)
        return { address: row.address, ...(orcpt === undefined ? {} : { orcpt }), outcome }
      }),
      original: body,
      whole: entry.ret === 'FULL',
      ...(entry.envid === undefined ? {} : { envid: entry.envid }),
    })
    return generatedEntry(
      { mid, rootMid: mid, hostname, offsetSeconds, sender: '', recipients: [to], quiet: true, bytes },
      env,
    )
  }

  const announce = (type: NoticeEvent, dsn: NewSpoolEntry, from: number): void => {
    events.publish({ type, mid: dsn.mid, from })
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
    /** The notice of a failure; the caller puts it into the queue with the end of its recipients, then announces it. */
    failure: (
      entry: SpoolEntry,
      body: Buffer,
      failed: readonly Told[],
      termsOf: (row: QueuedRecipient) => BounceTerms,
    ): NewSpoolEntry | null => {
      const told = failed.filter(({ row }) => termsOf(row).sendBounces && wants(askedOf(entry, row), 'FAILURE'))
      const [first] = told
      return first ? make(entry, body, told, { action: 'failed', terms: termsOf(first.row) }) : null
    },
    announceFailure: (dsn: NewSpoolEntry, from: number): void => announce('delivery.bounce-generated', dsn, from),
    /**
     * Tells of success what was asked. Called before the recipients leave the queue: a crash between the two tells once and
     * delivers twice, and never the other way round.
     */
    success: async (
      entry: SpoolEntry,
      body: Buffer,
      done: readonly Told[],
      terms: BounceTerms,
      action: 'relayed' | 'delivered',
    ): Promise<void> => {
      const told = done.filter(({ row }) => wants(askedOf(entry, row), 'SUCCESS'))
      const dsn = make(entry, body, told, { action, terms })
      if (!dsn) return
      const key = `success of MID ${entry.mid} RID ${told.map((t) => t.row.rid).join(',')}`
      const stands = await spool.acceptOnce(key, dsn)
      if (stands === dsn.mid) announce('delivery.success-notified', dsn, entry.mid)
    },
    /** A warning that the message is late, where one is due. The key makes each warning one, also after a restart. */
    delay: async (
      entry: SpoolEntry,
      body: Buffer,
      soft: readonly Told[],
      terms: BounceTerms,
      retryUntil: Date,
    ): Promise<void> => {
      const told = soft.filter(({ row }) => wants(askedOf(entry, row), 'DELAY', { DELAY: terms.sendWarnings }))
      const [first] = told
      const due = first ? warningsDue(terms, first.row.queuedAt, env.clock.now()) : 0
      const key = `delay warning ${due} of MID ${entry.mid} RID ${first?.row.rid}`
      if (due === 0 || warned.get(entry.mid) === key) return
      const dsn = make(entry, body, told, { action: 'delayed', terms, retryUntil })
      if (!dsn) return
      const stands = await spool.acceptOnce(key, dsn)
      remember(entry.mid, key)
      if (stands === dsn.mid) announce('delivery.delay-warned', dsn, entry.mid)
    },
  }
}

type NoticeEvent = 'delivery.bounce-generated' | 'delivery.success-notified' | 'delivery.delay-warned'

/** The start of a message that was made here; its own words (`was generated …`) come before. */
export const announceGenerated = (events: EventBus, { mid, sender, recipients }: SpoolEntry): void => {
  events.publish({ type: 'message.started', mid, icid: 0 })
  events.publish({ type: 'message.sender', mid, icid: 0, sender })
  for (const { rid, address } of recipients)
    events.publish({ type: 'message.recipient', mid, icid: 0, rid, recipient: address })
  events.publish({ type: 'message.queued', mid })
}
