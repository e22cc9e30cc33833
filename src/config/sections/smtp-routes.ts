import * as v from 'valibot'
import { defineSection } from '../section.ts'

export const smtpRoute = v.object({
  /** `example.com`, `.example.com` or `ALL`. */
  domain: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  /** `host`, `host:port`, `[10.1.1.1]:25`, `/dev/null`, `USEDNS`, or `MAILBOXES` (ours: the embedded Maildirs). */
  hosts: v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1)),
})
export type SmtpRoute = v.InferOutput<typeof smtpRoute>

/** `smtproutes`. Domains without a route that a listener accepts go to the embedded mailboxes. */
export const smtpRoutes = defineSection<SmtpRoute[]>({
  name: 'smtp_routes',
  version: 1,
  schema: v.array(smtpRoute),
  defaults: [],
  verify: (routes) =>
    routes
      .filter((r, i) => routes.findIndex((o) => o.domain.toLowerCase() === r.domain.toLowerCase()) < i)
      .map((r) => ({
        path: `smtp_routes.${r.domain}`,
        message: `There are two routes for ${r.domain}.`,
        severity: 'error' as const,
      })),
})
