import { isIP } from 'node:net'
import { delivery as deliverySection } from '../config/sections/delivery.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import { startTimer } from '../core/deadline.ts'
import type { Env } from '../core/env.ts'
import type { EventBus } from '../events/bus.ts'
import { nextHops } from '../mail/delivery/next-hop.ts'
import type { Route } from '../mail/delivery/route.ts'
import type { Source } from '../mail/delivery/source.ts'
import type { DeliveryTerms } from '../mail/delivery/terms.ts'
import { ConnectFailure } from '../mail/delivery/transport.ts'
import type { Failure, RouteLogin, SmtpClient, SmtpSending, SmtpTarget, TlsDemand } from '../mail/delivery/transport.ts'
import type { Counters } from '../store/spool.ts'
import type { Connection } from './connection-pool.ts'
import type { HostRecorder } from './host-statistics.ts'
import type { DomainTls, TlsPolicies } from './tls-policies.ts'

export interface DeliveryConnectDeps {
  readonly env: Env
  readonly events: EventBus
  readonly ids: Counters
  readonly config: ConfigReader
  readonly tlsPolicies: TlsPolicies
  readonly smtp: SmtpClient
  readonly hosts: HostRecorder
  /** Of this machine: nobody's MX leads back to them. */
  readonly ownAddresses?: () => readonly string[]
}

/** What a connection is opened on. */
interface Terms {
  readonly tls: Pick<DeliveryTerms, 'tls' | 'dane' | 'mtaSts'>
  readonly login: RouteLogin | null
  /** What it goes out from; null = the system chooses. */
  readonly source: Source | null
}

export type RemoteRoute = Extract<Route, { kind: 'hosts' | 'mx' }>

const DNS_MS = 30_000
const DNS_TIMEOUT: Failure = { permanent: false, code: '000', status: '4.4.3', response: 'DNS look-up timed out' }
const STOPPED: Failure = { permanent: false, code: '000', status: '4.4.1', response: 'the delivery was stopped' }
const NO_HOST: Failure = { permanent: false, code: '000', status: '4.4.1', response: 'no host to try' }

/** Opens connections to the hosts of a domain, the best first, and tells of them. */
export const createDeliveryConnect = (deps: DeliveryConnectDeps) => {
  const { env, events, ids, config, hosts } = deps

  const announce = (
    sending: SmtpSending,
    { address, port }: SmtpTarget,
    dcid: number,
    { proof }: TlsDemand,
    domain: string,
  ): void => {
    events.publish({ type: 'delivery.opened', dcid, interfaceAddress: sending.interfaceAddress, address, port })
    if (sending.tls) {
      const { protocol, cipher, verified } = sending.tls
      const verifiedFor = verified && proof !== 'none' ? domain : null
      events.publish({ type: 'delivery.tls', dcid, protocol, cipher, verifiedFor })
    }
    if (sending.tlsFailure !== null) events.publish({ type: 'delivery.tls-failed', dcid, error: sending.tlsFailure })
  }

  const failed = (
    error: ConnectFailure,
    { address, port }: SmtpTarget,
    dcid: number,
    domain: string,
    login: RouteLogin | null,
  ): void => {
    if (error.authFailed && login)
      events.publish({ type: 'delivery.authenticated', dcid, address, user: login.user, ok: false })
    if (error.tlsFailure !== null) {
      events.publish({ type: 'delivery.tls-failed', dcid, error: error.tlsFailure })
      events.publish({ type: 'delivery.tls-required', dcid, address })
    }
    const details = error.failure.response
    events.publish({ type: 'delivery.connection-error', dcid, domain, address, port, details })
  }

  const leave = (domain: string, host: string, reason: string, testing: boolean): void =>
    events.publish({ type: 'delivery.host-left', domain, host, reason, testing })

  const connect = async (
    targets: readonly SmtpTarget[],
    domain: string,
    tls: DomainTls,
    { login, source }: Omit<Terms, 'tls'>,
    signal: AbortSignal,
  ): Promise<Connection | Failure> => {
    const { connectTimeoutSeconds, replyTimeoutSeconds } = config.get(deliverySection)
    let failure = NO_HOST
    for (const target of targets) {
      const host = await within(env, DNS_MS, tls.of(target))
      if (host === null) {
        failure = { ...DNS_TIMEOUT, remote: target.host }
        continue
      }
      if (!host.ok) {
        // What a host that was tried said tells more.
        if (failure === NO_HOST) failure = { ...host.failure, remote: target.host }
        leave(domain, target.host, host.failure.response, false)
        continue
      }
      const dcid = ids.next('dcid')
      const { demand, basis } = host
      if (host.objection !== null) leave(domain, target.host, host.objection, true)
      if (basis !== null)
        events.publish({
          type: 'delivery.tls-basis',
          dcid,
          domain,
          host: target.host,
          basis,
          records: demand.tlsa.length,
        })
      try {
        const sending = await deps.smtp.connect(
          { ...target, host: host.servername },
          {
            hostname: source?.hostname ?? config.get(system).hostname,
            connectTimeoutMs: connectTimeoutSeconds * 1000,
            replyTimeoutMs: replyTimeoutSeconds * 1000,
            tls: demand,
            auth: login,
            localAddress: source?.address ?? null,
          },
          signal,
        )
        if (login)
          events.publish({ type: 'delivery.authenticated', dcid, address: target.address, user: login.user, ok: true })
        announce(sending, target, dcid, demand, domain)
        hosts.opened(domain)
        return { sending, target, dcid, domain, sent: 0 }
      } catch (error) {
        if (!(error instanceof ConnectFailure)) throw error
        failure = { ...error.failure, remote: target.host }
        failed(error, target, dcid, domain, login)
      }
    }
    return failure
  }

  const open = async (
    route: RemoteRoute,
    domain: string,
    terms: Terms,
    signal: AbortSignal,
  ): Promise<Connection | Failure> => {
    const ourselves = { hostname: config.get(system).hostname, addresses: deps.ownAddresses?.() ?? [] }
    const tls = await deps.tlsPolicies.forDomain(domain, route.kind === 'mx', terms.tls, signal)
    const hops = await within(env, DNS_MS, nextHops(route, domain, tls.resolver, ourselves, env.entropy))
    if (hops?.ok) hosts.lookedUp(domain, hops.targets)
    if (!hops?.ok) return hops?.failure ?? DNS_TIMEOUT
    // An address of ours reaches hosts of its own family only.
    const { source } = terms
    const reachable = hops.targets.filter((t) => source === null || isIP(t.address) === isIP(source.address))
    return await connect(reachable, domain, tls, terms, signal)
  }

  return {
    open: async (
      route: RemoteRoute,
      domain: string,
      terms: Terms,
      signal: AbortSignal,
    ): Promise<Connection | Failure> => {
      try {
        return await open(route, domain, terms, signal)
      } catch (error) {
        if (!signal.aborted) throw error
        return STOPPED
      }
    },
  }
}

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
