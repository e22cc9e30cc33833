import { hash } from 'node:crypto'
import { alternateSources } from '../config/sections/alternate-sources.ts'
import { interfaces } from '../config/sections/interfaces.ts'
import { errorText, Fault } from '../core/errors.ts'
import { maildirName } from '../core/mailbox-path.ts'
import type { DkimSigner } from '../mail/auth/dkim-sign.ts'
import { askedOf } from '../mail/delivery/notify.ts'
import { sourceFor } from '../mail/delivery/source.ts'
import type { AttemptResult, Failure, MailboxWriter, OutgoingMessage } from '../mail/delivery/transport.ts'
import { canonicalText } from '../mail/smtp/client/body.ts'
import { peekHeaders } from '../mail/smtp/header-peek.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import { readTrace } from '../mail/trace.ts'
import type { QueuedRecipient, SpoolEntry, SpoolStore } from '../store/spool.ts'
import { returnPath } from './bounce-verification.ts'
import type { Connection, ConnectionPool } from './connection-pool.ts'
import { createDeliveryConnect } from './delivery-connect.ts'
import type { DeliveryConnectDeps, RemoteRoute } from './delivery-connect.ts'
import type { DeliveryRouting } from './delivery-routing.ts'
import type { Attempt, DeliverySettlement } from './delivery-settlement.ts'

export interface DeliveryAttemptDeps extends DeliveryConnectDeps {
  readonly spool: SpoolStore
  readonly mailboxes: MailboxWriter
  readonly settlement: DeliverySettlement
  readonly pool: ConnectionPool
  readonly signer: DkimSigner
  readonly routing: DeliveryRouting
}

/** The recipients of one message that go to one domain. */
interface Parcel {
  readonly entry: SpoolEntry
  readonly rows: readonly QueuedRecipient[]
  readonly body: Buffer
}

/** Null = the domain can be tried on; else why its hosts cannot be reached. */
export type DomainFailure = Failure | null

/** One job of the queue: takes some recipients of one domain as far as they go now, and settles each. */
export const createDeliveryAttempts = (deps: DeliveryAttemptDeps) => {
  const { events, config, spool, settlement, pool, routing } = deps
  const connect = createDeliveryConnect(deps)

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

  const send = async (connection: Connection, { entry, rows, body }: Parcel, signal: AbortSignal) => {
    const { sending, target, dcid } = connection
    connection.sent++
    const rids = rows.map((r) => r.rid)
    // What is signed and recorded is what goes out.
    const unsigned = canonicalText(Buffer.concat([Buffer.from(entry.trace), body]))
    const signature = await deps.signer.sign(entry, unsigned)
    const bytes = signature === '' ? unsigned : Buffer.concat([Buffer.from(signature), unsigned])
    events.publish({ type: 'delivery.started', dcid, mid: entry.mid, rids, local: false })
    const results = await sending.send(
      { ...outgoing(entry, rows, bytes), sender: returnPath(deps, entry, rows) },
      signal,
    )
    if (results === null) return null
    const sha256 = hash('sha256', bytes)
    const attempts = rows.map((row, i): Attempt => {
      const raw = results[i] as AttemptResult
      const result = raw.ok ? raw : { ...raw, remote: target.host }
      const location = `${target.address}:${target.port}${result.ok ? ` ${result.response}` : ''}`
      return { row, result, via: 'smtp', location, sha256 }
    })
    // What we broke off ourselves was no attempt: it stays due, and none of its retries is used up.
    const ended = attempts.filter(({ result: r }) => r.ok || r.code !== '000' || !signal.aborted)
    await settlement.settle(entry, body, ended, { dcid, local: false, dsn: sending.dsn, remote: target.host })
    return results
  }

  const overSmtp = async (
    route: RemoteRoute,
    domain: string,
    all: readonly Parcel[],
    signal: AbortSignal,
  ): Promise<DomainFailure> => {
    const tls = routing.termsOf(domain)
    const { messagesPerConnection: most } = tls
    const login = routing.loginOf(domain)
    const waiting = [...all]
    let connection: Connection | null = null
    /** Connections of one hop from one address of ours are alike. */
    let kind = ''
    try {
      for (let parcel = waiting.shift(); parcel && !signal.aborted; parcel = waiting.shift()) {
        const source = sourceFor(parcel.entry, config.get(alternateSources), config.get(interfaces))
        const wanted = `${routing.hopOf(domain)} ${source?.address ?? ''} ${source?.hostname ?? ''}`
        if (connection && kind !== wanted) {
          pool.give(kind, connection, most)
          connection = null
        }
        kind = wanted
        connection ??= pool.take(kind, most)
        if (!connection) {
          const opened = await connect.open(route, domain, { tls, login, source }, signal)
          if (!('sending' in opened)) {
            if (signal.aborted) return null
            for (const failed of [parcel, ...waiting]) await failAll(failed, opened, 0)
            return opened.permanent ? null : opened
          }
          connection = opened
        }
        const results = await send(connection, parcel, signal)
        if (results === null) {
          pool.end(connection)
          connection = null
          waiting.unshift(parcel)
          continue
        }
        // What is left when the host hangs up stays due, and the next job takes it.
        const failed = results.find((r) => !r.ok)
        if (!connection.sending.alive && failed && !failed.ok) return signal.aborted ? null : failed
        if (connection.sending.alive && connection.sent < most) continue
        pool.end(connection)
        connection = null
      }
      return null
    } finally {
      if (connection) pool.give(kind, connection, most)
    }
  }

  return {
    /** `startedAt`: deliveries queued before may have been made by an earlier process that could not record them. */
    run: async (
      domain: string,
      rows: readonly QueuedRecipient[],
      startedAt: Date,
      signal: AbortSignal,
    ): Promise<DomainFailure> => {
      const route = routing.routeOf(domain)
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

const outgoing = (
  entry: SpoolEntry,
  rows: readonly QueuedRecipient[],
  bytes: Buffer,
): Omit<OutgoingMessage, 'sender'> => {
  const { ret, envid, utf8 } = entry
  return {
    recipients: rows.map((row) => {
      const { notify, orcpt } = askedOf(entry, row)
      return { address: row.address, ...(notify ? { notify } : {}), ...(orcpt ? { orcpt } : {}) }
    }),
    bytes,
    ...(utf8 ? { utf8 } : {}),
    ...(ret ? { ret } : {}),
    ...(envid ? { envid } : {}),
  }
}
