import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { bounceProfiles } from './bounce-profiles.ts'

export const TLS_MODES = ['no', 'preferred', 'required', 'preferred_verify', 'required_verify'] as const
export type TlsMode = (typeof TLS_MODES)[number]

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max))

/** null = as the default entry says. */
const destination = v.object({
  /** `example.com`, or `.example.com` for its subdomains. The name of a next hop in smtproutes counts as well. */
  domain: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  /** Connections at the same time. */
  concurrency: v.nullable(count(1000)),
  messagesPerConnection: v.nullable(count(1000)),
  /** Recipients in `recipientMinutes`. */
  recipients: v.nullable(count(1_000_000)),
  recipientMinutes: count(60),
  tls: v.nullable(v.picklist(TLS_MODES)),
  bounceProfile: v.nullable(v.pipe(v.string(), v.minLength(1))),
})
export type Destination = v.InferOutput<typeof destination>

/** `destconfig`: how mail is handed to a domain. */
export const destinations = defineSection({
  name: 'destinations',
  version: 1,
  schema: v.object({
    default: v.object({
      concurrency: count(1000),
      messagesPerConnection: count(1000),
      /** null = no limit. */
      recipients: v.nullable(count(1_000_000)),
      recipientMinutes: count(60),
      tls: v.picklist(TLS_MODES),
      bounceProfile: v.nullable(v.pipe(v.string(), v.minLength(1))),
    }),
    domains: v.array(destination),
  }),
  defaults: {
    default: {
      concurrency: 500,
      messagesPerConnection: 50,
      recipients: null,
      recipientMinutes: 60,
      tls: 'preferred',
      bounceProfile: null,
    },
    domains: [] as Destination[],
  },
  verify: ({ default: fallback, domains }, whole) => {
    const known = new Set(whole.get(bounceProfiles).map((p) => p.name))
    const entries = [{ domain: 'DEFAULT', bounceProfile: fallback.bounceProfile }, ...domains]
    const seen = new Set<string>()
    return entries.flatMap(({ domain, bounceProfile }): readonly Issue[] => {
      const issue = (message: string): Issue => ({ path: `destinations.${domain}`, message, severity: 'error' })
      const twice = seen.has(domain.toLowerCase())
      seen.add(domain.toLowerCase())
      return [
        ...(twice ? [issue(`There are two destconfig entries for ${domain}.`)] : []),
        ...(bounceProfile === null || known.has(bounceProfile)
          ? []
          : [issue(`The bounce profile '${bounceProfile}' of ${domain} does not exist. Create it with bounceconfig.`)]),
      ]
    })
  },
})
