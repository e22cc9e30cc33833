import { hash } from 'node:crypto'
import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { destinations as destinationsSection } from '../config/sections/destinations.ts'
import type { TlsMode } from '../config/sections/destinations.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import { startTimer } from '../core/deadline.ts'
import type { Env } from '../core/env.ts'
import { errorText, Fault } from '../core/errors.ts'
import { maildirName } from '../core/mailbox-path.ts'
import type { Resolver } from '../core/resolver.ts'
import type { EventBus } from '../events/bus.ts'
import type { DkimSigner } from '../mail/auth/dkim-sign.ts'
import { nextHops } from '../mail/delivery/next-hop.ts'
import type { Route } from '../mail/delivery/route.ts'
import { hopOf, termsFor } from '../mail/delivery/terms.ts'
import { ConnectFailure } from '../mail/delivery/transport.ts'
import type {
  AttemptResult,
  Failure,
  MailboxWriter,
  SmtpClient,
  SmtpSending,
  SmtpTarget,
} from '../mail/delivery/transport.ts'
import { peekHeaders } from '../mail/smtp/header-peek.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import { readTrace } from '../mail/trace.ts'
import type { Counters, QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'
import type { Connection, ConnectionPool } from './connection-pool.ts'
import type { Attempt, DeliverySettlement } from './delivery-settlement.ts'
import type { HostRecorder } from './host-statistics.ts'

export interface DeliveryAttemptDeps {
  readonly env: Env
  readonly events: EventBus
  readonly ids: Counters
  readonly config: ConfigReader
  readonly spool: SpoolStore
  readonly resolver: Resolver
  readonly smtp: SmtpClient
  readonly mailboxes: MailboxWriter
  readonly settlement: DeliverySettlement
  readonly hosts: HostRecorder
  readonly pool: ConnectionPool
  readonly signer: DkimSigner
  readonly routeOf: (domain: string) => Route
}

/** The recipients of one message that go to one domain. */
interface Parcel {
  readonly entry: SpoolEntry
  readonly rows: readonly QueuedRecipient[]
  readonly body: Buffer
}

/** Null = the domain can be tried on; else why its hosts cannot be reached. */
export type DomainFailure = Failure | null

const DNS_MS = 30_000

/** One job of the queue: takes some recipients of one domain as far as they go now, and settles each. */
export const createDeliveryAttempts = (deps: DeliveryAttemptDeps) => {
  const { env, events, ids, config, spool, settlement, hosts, pool } = deps

  /** A corrupt message is set aside (which raises an alert); the others go on. */
  const parcels = async (rows: readonly QueuedRecipient[]): Promise<readonly Parcel[]> => {
    const out: Parcel[] = []
    for (const mid of new Set(rows.map((r) => r.mid))) {
      const entry = spool.entry(mid)
      if (!entry) continue
      try {
        out.push({ entry, rows: rows.filter((r) => r.mid === mid), body: await spool.body(mid) })
      } catch (error) {
        if (!(error instanceof Fault && error.code === 'STORE_CORRUPT')) throw error
        await spool.setAside(mid, errorText(error))
      }
    }
    return out
  }

  const failAll = async ({ entry, rows, body }: Parcel, failure: Failure, dcid: number): Promise<void> =>
    await settlement.settle(
      entry,
      body,
      rows.map((row) => ({ row, result: { ok: false, ...failure } })),
      { dcid, local: false },
    )

  const discard = async ({ entry, rows }: Parcel): Promise<void> => {
    const rids = rows.map((r) => r.rid)
    events.publish({ type: 'delivery.started', dcid: 0, mid: entry.mid, rids, local: false })
    const finished = await settlement.persist(() => spool.bounce(entry.mid, rids, null))
    events.publish({ type: 'delivery.done', dcid: 0, mid: entry.mid, rids, local: false })
    if (finished) events.publish({ type: 'message.finished', mid: entry.mid })
  }

  const intoMailboxes = async ({ entry, rows, body }: Parcel, startedAt: Date): Promise<void> => {
    const rids = rows.map((r) => r.rid)
    const { host } = readTrace(entry.trace)
    events.publish({ type: 'delivery.started', dcid: 0, mid: entry.mid, rids, local: true })
    const attempts: Attempt[] = []
    for (const row of rows) {
      const name = maildirName(entry.receivedAt, entry.mid, row.rid, host)
      const head = `Return-Path: <${entry.sender}>\r\nDelivered-To: ${row.address}\r\n${entry.trace}`
      const bytes = Buffer.concat([Buffer.from(head), body])
      const again = row.attempts > 0 || row.queuedAt < startedAt
      let result: AttemptResult = { ok: true, response: '' }
      try {
        await deps.mailboxes.deliver(row.address, name, bytes, again)
      } catch (error) {
        result = { ok: false, permanent: false, code: '000', status: '4.3.0', response: `mailbox: ${errorText(error)}` }
      }
      attempts.push({ row, result, via: 'maildir', location: name, sha256: hash('sha256', bytes) })
    }
    await settlement.settle(entry, body, attempts, { dcid: 0, local: true })
  }

  const connect = async (
    targets: readonly SmtpTarget[],
    domain: string,
    tls: TlsMode,
    signal: AbortSignal,
  ): Promise<Connection | Failure> => {
    const { connectTimeoutSeconds, replyTimeoutSeconds } = config.get(deliverySection)
    let failure: Failure = { permanent: false, code: '000', status: '4.4.1', response: 'no host to try' }
    for (const target of targets) {
      const dcid = ids.next('dcid')
      try {
        const sending = await deps.smtp.connect(
          target,
          {
            hostname: config.get(system).hostname,
            connectTimeoutMs: connectTimeoutSeconds * 1000,
            replyTimeoutMs: replyTimeoutSeconds * 1000,
            tls,
          },
          signal,
        )
        announce(sending, target, dcid, tls.endsWith('_verify') ? domain : null)
        hosts.opened(domain)
        return { sending, target, dcid, domain, sent: 0 }
      } catch (error) {
        if (!(error instanceof ConnectFailure)) throw error
        failure = { ...error.failure, remote: target.host }
        if (error.tlsFailure !== null) {
          events.publish({ type: 'delivery.tls-failed', dcid, error: error.tlsFailure })
          events.publish({ type: 'delivery.tls-required', dcid, address: target.address })
        }
        events.publish({
          type: 'delivery.connection-error',
          dcid,
          domain,
          address: target.address,
          port: target.port,
          details: failure.response,
        })
      }
    }
    return failure
  }

  const announce = (
    sending: SmtpSending,
    { address, port }: SmtpTarget,
    dcid: number,
    verifyFor: string | null,
  ): void => {
    events.publish({ type: 'delivery.opened', dcid, interfaceAddress: sending.interfaceAddress, address, port })
    if (sending.tls) {
      const { protocol, cipher, verified } = sending.tls
      events.publish({ type: 'delivery.tls', dcid, protocol, cipher, verifiedFor: verified ? verifyFor : null })
    }
    if (sending.tlsFailure !== null) events.publish({ type: 'delivery.tls-failed', dcid, error: sending.tlsFailure })
  }

  const send = async (connection: Connection, { entry, rows, body }: Parcel, signal: AbortSignal) => {
    const { sending, target, dcid } = connection
    connection.sent++
    const rids = rows.map((r) => r.rid)
    const unsigned = Buffer.concat([Buffer.from(entry.trace), body])
    const signature = await deps.signer.sign(entry, unsigned)
    const bytes = signature === '' ? unsigned : Buffer.concat([Buffer.from(signature), unsigned])
    events.publish({ type: 'delivery.started', dcid, mid: entry.mid, rids, local: false })
    const results = await sending.send({ sender: entry.sender, recipients: rows.map((r) => r.address), bytes }, signal)
    const sha256 = hash('sha256', bytes)
    const attempts = rows.map((row, i): Attempt => {
      const raw = results[i] as AttemptResult
      const result = raw.ok ? raw : { ...raw, remote: target.host }
      const location = `${target.address}:${target.port}${result.ok ? ` ${result.response}` : ''}`
      return { row, result, via: 'smtp', location, sha256 }
    })
    await settlement.settle(entry, body, attempts, { dcid, local: false })
    return results
  }

  const overSmtp = async (
    route: Extract<Route, { kind: 'hosts' | 'mx' }>,
    domain: string,
    all: readonly Parcel[],
    signal: AbortSignal,
  ): Promise<DomainFailure> => {
    const terms = termsFor(domain, config.get(destinationsSection))
    const hop = hopOf(domain, route, terms.tls)
    const waiting = [...all]
    let connection: Connection | null = null
    try {
      for (let parcel = waiting.shift(); parcel && !signal.aborted; parcel = waiting.shift()) {
        connection ??= await pool.take(hop, terms.messagesPerConnection, signal)
        if (!connection) {
          const opened = await open(route, domain, terms.tls, signal)
          if (!('sending' in opened)) {
            for (const failed of [parcel, ...waiting]) await failAll(failed, opened, 0)
            return opened.permanent ? null : opened
          }
          connection = opened
        }
        const results = await send(connection, parcel, signal)
        // What is left when the host hangs up stays due, and the next job takes it.
        const failed = results.find((r) => !r.ok)
        if (!connection.sending.alive && failed && !failed.ok) return failed
        if (connection.sending.alive && connection.sent < terms.messagesPerConnection) continue
        pool.end(connection)
        connection = null
      }
      return null
    } finally {
      if (connection) pool.give(hop, connection, terms.messagesPerConnection)
    }
  }

  const open = async (
    route: Extract<Route, { kind: 'hosts' | 'mx' }>,
    domain: string,
    tls: TlsMode,
    signal: AbortSignal,
  ): Promise<Connection | Failure> => {
    const hops = await within(env, DNS_MS, nextHops(route, domain, deps.resolver))
    if (hops?.ok) hosts.lookedUp(domain, hops.targets)
    return hops?.ok ? await connect(hops.targets, domain, tls, signal) : (hops?.failure ?? DNS_TIMEOUT)
  }

  return {
    /** `startedAt`: deliveries queued before may have been made by an earlier process that could not record them. */
    run: async (
      domain: string,
      rows: readonly QueuedRecipient[],
      startedAt: Date,
      signal: AbortSignal,
    ): Promise<DomainFailure> => {
      const route = deps.routeOf(domain)
      const ready: Parcel[] = []
      for (const parcel of await parcels(rows)) {
        if (peekHeaders(parcel.body).hops > SMTP_LIMITS.hops) await failAll(parcel, LOOP, 0)
        else ready.push(parcel)
      }
      if (ready.length === 0) return null
      if (route.kind === 'discard') for (const parcel of ready) await discard(parcel)
      else if (route.kind === 'mailboxes') for (const parcel of ready) await intoMailboxes(parcel, startedAt)
      else return await overSmtp(route, domain, ready, signal)
      return null
    },
  }
}

const LOOP: Failure = {
  permanent: true,
  code: '000',
  status: '5.4.6',
  response: `more than ${SMTP_LIMITS.hops} Received headers: the message goes in circles`,
}
const DNS_TIMEOUT: Failure = { permanent: false, code: '000', status: '4.4.3', response: 'DNS look-up timed out' }

/** Null when `ms` have passed first. */
const within = async <T>(env: Env, ms: number, work: Promise<T>): Promise<T | null> => {
  let cancel = (): void => undefined
  const late = new Promise<null>((resolve) => {
    cancel = startTimer(env.clock, ms, () => resolve(null))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
