import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
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
    return logins.flatMap(({ domain }, i): readonly Issue[] => {
      const issue = (message: string): Issue => ({ path: `smtp_route_logins.${domain}`, message, severity: 'error' })
      const twice = logins.findIndex((l) => l.domain.toLowerCase() === domain.toLowerCase()) < i
      return [
        ...(twice ? [issue(`There are two logins for the route ${domain}.`)] : []),
        ...(routes.has(domain.toLowerCase()) ? [] : [issue(`The login for ${domain} has no route in smtproutes.`)]),
      ]
    })
  },
})
