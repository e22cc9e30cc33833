import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { bounceProfiles } from './bounce-profiles.ts'
import { bounceVerification } from './bounce-verification.ts'
import { dns } from './dns.ts'

export const TLS_MODES = ['no', 'preferred', 'required', 'preferred_verify', 'required_verify'] as const
export type TlsMode = (typeof TLS_MODES)[number]

/** RFC 7672: `opportunistic` uses TLSA records where there are any, `mandatory` sends only where they are. */
export const DANE_MODES = ['none', 'opportunistic', 'mandatory'] as const
export type DaneMode = (typeof DANE_MODES)[number]

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
  dane: v.nullable(v.picklist(DANE_MODES)),
  /** RFC 8461. */
  mtaSts: v.nullable(v.boolean()),
  /** Whether return paths are tagged for bounce verification. */
  bounceVerification: v.nullable(v.boolean()),
  bounceProfile: v.nullable(v.pipe(v.string(), v.minLength(1))),
})
export type Destination = v.InferOutput<typeof destination>

/** Version 1 knew neither DANE nor MTA-STS, and tagged return paths for every domain alike. */
const fromVersion1 = (old: unknown): unknown => {
  const { default: fallback, domains } = old as { readonly default?: object; readonly domains?: readonly object[] }
  return {
    default: { dane: 'none', mtaSts: false, bounceVerification: null, ...fallback },
    domains: (domains ?? []).map((entry) => ({ dane: null, mtaSts: null, bounceVerification: null, ...entry })),
  }
}

/** `destconfig`: how mail is handed to a domain. */
export const destinations = defineSection({
  name: 'destinations',
  version: 2,
  schema: v.object({
    default: v.object({
      concurrency: count(1000),
      messagesPerConnection: count(1000),
      /** null = no limit. */
      recipients: v.nullable(count(1_000_000)),
      recipientMinutes: count(60),
      tls: v.picklist(TLS_MODES),
      dane: v.picklist(DANE_MODES),
      mtaSts: v.boolean(),
      /** null = as bvconfig says. */
      bounceVerification: v.nullable(v.boolean()),
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
      dane: 'none',
      mtaSts: false,
      bounceVerification: null,
      bounceProfile: null,
    },
    domains: [] as Destination[],
  },
  migrations: { 1: fromVersion1 },
  verify: ({ default: fallback, domains }, whole) => {
    const known = new Set(whole.get(bounceProfiles).map((p) => p.name))
    const entries = [{ domain: 'DEFAULT', ...fallback }, ...domains]
    const { keys } = whole.get(bounceVerification)
    const { validating } = whole.get(dns)
    const seen = new Set<string>()
    return entries.flatMap(({ domain, bounceProfile, ...entry }): readonly Issue[] => {
      const issue = (message: string, severity: Issue['severity'] = 'error'): Issue => ({
        path: `destinations.${domain}`,
        message,
        severity,
      })
      const dane = entry.dane ?? 'none'
      const twice = seen.has(domain.toLowerCase())
      seen.add(domain.toLowerCase())
      return [
        ...(twice ? [issue(`There are two destconfig entries for ${domain}.`)] : []),
        ...(bounceProfile === null || known.has(bounceProfile)
          ? []
          : [issue(`The bounce profile '${bounceProfile}' of ${domain} does not exist. Create it with bounceconfig.`)]),
        ...(entry.tls === 'no' && (dane !== 'none' || entry.mtaSts === true)
          ? [issue(`DANE and MTA-STS need TLS, which destconfig switches off for ${domain}.`)]
          : []),
        ...(dane !== 'none' && !validating
          ? [
              issue(
                `DANE for ${domain} needs name servers that validate DNSSEC; say in dnsconfig, SETUP, that yours do. ` +
                  (dane === 'mandatory' ? 'Until then its mail waits.' : 'Until then it does nothing.'),
                'warning',
              ),
            ]
          : []),
        ...(entry.bounceVerification === true && keys.length === 0
          ? [issue(`Address tagging for ${domain} needs a key. Make one with bvconfig, KEY.`)]
          : []),
      ]
    })
  },
})
