import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { repeated } from '../unique.ts'
import { smtpRoutes } from './smtp-routes.ts'

const routeLogin = v.object({
  /** Of the route in smtproutes. */
  domain: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  user: v.pipe(v.string(), v.regex(/^[^\s\u0000-\u001f\u007f"]{1,128}$/)),
  passphrase: secretText(),
})
export type RouteLoginEntry = v.InferOutput<typeof routeLogin>

/** `smtproutes`, LOGIN: what we say to the hosts of a route that want to know who we are (SMTP AUTH). */
export const routeLogins = defineSection<RouteLoginEntry[]>({
  name: 'smtp_route_logins',
  version: 1,
  schema: v.array(routeLogin),
  defaults: [],
  verify: (logins, whole) => {
    const routes = new Set(whole.get(smtpRoutes).map((r) => r.domain.toLowerCase()))
    const domains = logins.map((l) => l.domain)
    const issue = (domain: string, message: string): Issue => ({
      path: `smtp_route_logins.${domain}`,
      message,
      severity: 'error',
    })
    return [
      ...repeated(domains.map((d) => d.toLowerCase())).map((d) => issue(d, `There are two logins for the route ${d}.`)),
      ...domains
        .filter((d) => !routes.has(d.toLowerCase()))
        .map((d) => issue(d, `The login for ${d} has no route in smtproutes.`)),
    ]
  },
})
