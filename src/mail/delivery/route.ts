import { isIP } from 'node:net'
import type { SmtpRoute } from '../../config/sections/smtp-routes.ts'
import type { RouteLoginEntry } from '../../config/sections/route-logins.ts'
import { entryFor } from './by-domain.ts'
import type { RouteLogin } from './transport.ts'

/** One next hop as an operator wrote it. `exact`: by address records only, MX records are not asked. */
export interface RouteHost {
  readonly host: string
  readonly port: number
  readonly exact: boolean
}

export type Route =
  | { readonly kind: 'mailboxes' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'hosts'; readonly hosts: readonly RouteHost[] }
  | { readonly kind: 'mx' }

const SMTP_PORT = 25

/** `host`, `host:port`, `[10.1.1.1]:25`, `10.1.1.1`. */
export const parseRouteHost = (text: string): RouteHost => {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text)
  if (bracketed) return { host: bracketed[1] ?? '', port: Number(bracketed[2] ?? SMTP_PORT), exact: true }
  if (isIP(text) !== 0) return { host: text, port: SMTP_PORT, exact: true }
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  return { host, port: Number(port ?? SMTP_PORT), exact: isIP(host) !== 0 }
}

/** Destinations that `redirectrecipients` made: the operator's host instead of the address's domain. */
const REDIRECTED = 'smtp:'

export const redirectedTo = (host: string): string => `${REDIRECTED}${host.toLowerCase()}`

/** The domain of a destination, or the host that its recipients were redirected to. */
export const destinationHost = (destination: string): string =>
  destination.startsWith(REDIRECTED) ? destination.slice(REDIRECTED.length) : destination

const routeOf = (route: SmtpRoute): Route => {
  const [first = ''] = route.hosts
  switch (first.toUpperCase()) {
    case 'USEDNS':
      return { kind: 'mx' }
    case '/DEV/NULL':
      return { kind: 'discard' }
    case 'MAILBOXES':
      return { kind: 'mailboxes' }
    default:
      return { kind: 'hosts', hosts: route.hosts.map(parseRouteHost) }
  }
}

/**
 * Where mail for a domain goes: its own route, else the embedded mailboxes when a public listener accepts it, else the
 * default route `ALL`, else DNS.
 */
export const routeFor = (domain: string, routes: readonly SmtpRoute[], isLocal: (domain: string) => boolean): Route => {
  if (domain.startsWith(REDIRECTED)) return { kind: 'hosts', hosts: [parseRouteHost(destinationHost(domain))] }
  const own = entryFor(domain, routes)
  if (own) return routeOf(own)
  if (isLocal(domain)) return { kind: 'mailboxes' }
  const fallback = routes.find((r) => r.domain.toUpperCase() === 'ALL')
  return fallback ? routeOf(fallback) : { kind: 'mx' }
}

/** The login of the route that mail for a domain takes; null = nobody logs in. */
export const loginFor = (
  domain: string,
  routes: readonly SmtpRoute[],
  logins: readonly RouteLoginEntry[],
): RouteLogin | null => {
  if (logins.length === 0 || domain.startsWith(REDIRECTED)) return null
  const route = (entryFor(domain, routes)?.domain ?? 'ALL').toLowerCase()
  const found = logins.find((l) => l.domain.toLowerCase() === route)
  return found ? { user: found.user, passphrase: found.passphrase } : null
}
