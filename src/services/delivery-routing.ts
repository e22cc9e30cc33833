import { destinations } from '../config/sections/destinations.ts'
import { listeners } from '../config/sections/listeners.ts'
import { routeLogins } from '../config/sections/route-logins.ts'
import { smtpRoutes } from '../config/sections/smtp-routes.ts'
import type { ConfigReader } from '../config/section.ts'
import { loginFor, routeFor } from '../mail/delivery/route.ts'
import type { Route } from '../mail/delivery/route.ts'
import { hopConcurrency, hopOf, termsFor } from '../mail/delivery/terms.ts'
import type { DeliveryTerms } from '../mail/delivery/terms.ts'
import type { RouteLogin } from '../mail/delivery/transport.ts'
import { servesDomain } from '../mail/smtp/access.ts'

/** Deliveries at the same time into the embedded mailboxes: the disk does not get faster by more. */
const MAILBOX_JOBS = 10

export interface DeliveryRouting {
  routeOf(domain: string): Route
  termsOf(domain: string): DeliveryTerms
  loginOf(domain: string): RouteLogin | null
  /** What shares connections, back-off and limit. */
  hopOf(domain: string): string
  /** Jobs at the same time for the hop of a domain. */
  hopLimit(domain: string): number
}

/** Where mail goes and on what terms, as the configuration of the moment has it. */
export const createDeliveryRouting = (config: ConfigReader): DeliveryRouting => {
  const isLocal = (domain: string): boolean =>
    config.get(listeners).some((l) => l.type === 'public' && servesDomain(l, domain))
  const routeOf = (domain: string): Route => routeFor(domain, config.get(smtpRoutes), isLocal)
  const termsOf = (domain: string): DeliveryTerms => termsFor(domain, config.get(destinations))
  const loginOf = (domain: string): RouteLogin | null =>
    routeOf(domain).kind === 'hosts' ? loginFor(domain, config.get(smtpRoutes), config.get(routeLogins)) : null
  return {
    routeOf,
    termsOf,
    loginOf,
    hopOf: (domain) => {
      const login = loginOf(domain)
      const hop = hopOf(domain, routeOf(domain), termsOf(domain).tls)
      // Who logs in under another name has connections of his own.
      return login === null ? hop : `${hop} as ${login.user}`
    },
    hopLimit: (domain) => {
      const route = routeOf(domain)
      return route.kind === 'mailboxes' ? MAILBOX_JOBS : hopConcurrency(domain, route, config.get(destinations))
    },
  }
}
