import type { DaneMode, destinations, TlsMode } from '../../config/sections/destinations.ts'
import { entryFor } from './by-domain.ts'
import type { Route } from './route.ts'

type Destinations = (typeof destinations)['defaults']

/** How mail is handed to one domain: its entry in destconfig over the default. */
export interface DeliveryTerms {
  readonly concurrency: number
  readonly messagesPerConnection: number
  readonly recipients: { readonly max: number; readonly minutes: number } | null
  readonly tls: TlsMode
  readonly dane: DaneMode
  readonly mtaSts: boolean
  /** Whether return paths are tagged; null = as bvconfig says. */
  readonly bounceVerification: boolean | null
  /** null = the profile Default. */
  readonly bounceProfile: string | null
}

export const termsFor = (domain: string, settings: Destinations): DeliveryTerms => {
  const own = entryFor(domain, settings.domains)
  const fallback = settings.default
  const limited = own && own.recipients !== null ? own : fallback
  return {
    concurrency: own?.concurrency ?? fallback.concurrency,
    messagesPerConnection: own?.messagesPerConnection ?? fallback.messagesPerConnection,
    recipients: limited.recipients === null ? null : { max: limited.recipients, minutes: limited.recipientMinutes },
    tls: own?.tls ?? fallback.tls,
    dane: own?.dane ?? fallback.dane,
    mtaSts: own?.mtaSts ?? fallback.mtaSts,
    bounceVerification: own?.bounceVerification ?? fallback.bounceVerification,
    bounceProfile: own?.bounceProfile ?? fallback.bounceProfile,
  }
}

/**
 * What shares connections, back-off and limit: a smarthost stands for all domains that are routed to it, as long as they
 * ask the same of TLS. Domains found by DNS stand for themselves.
 */
export const hopOf = (domain: string, route: Route, tls: TlsMode): string => {
  if (route.kind !== 'hosts') return domain
  const hosts = route.hosts.map(({ host, port, exact }) => `${exact ? `[${host}]` : host}:${port}`)
  return `${hosts.join(',')} ${tls}`.toLowerCase()
}

/** Connections to a next hop at the same time: its own entry in destconfig, else the largest that a domain behind it may have. */
export const hopConcurrency = (domain: string, route: Route, settings: Destinations): number => {
  if (route.kind !== 'hosts') return termsFor(domain, settings).concurrency
  const named = route.hosts.map(({ host }) => entryFor(host, settings.domains)?.concurrency ?? null)
  return named.find((n) => n !== null) ?? settings.default.concurrency
}
