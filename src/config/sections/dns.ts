import * as v from 'valibot'
import { isIP } from 'node:net'
import type { Issue } from '../../core/errors.ts'
import { defineSection } from '../section.ts'
import { repeated } from '../unique.ts'

const address = v.pipe(
  v.string(),
  v.check((a) => isIP(a) !== 0, 'not an IP address'),
)

/** `dnsconfig`. Without servers the machine's own name servers are asked. */
export const dns = defineSection({
  name: 'dns',
  version: 2,
  schema: v.object({
    /** The lower number is asked first. */
    servers: v.array(v.object({ address, priority: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(9999)) })),
    /** A server that alone answers for a domain and what is below it. */
    alternates: v.array(v.object({ domain: v.pipe(v.string(), v.minLength(1), v.maxLength(253)), address })),
    reverseTimeoutSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(120)),
    /**
     * The servers validate DNSSEC, and nobody can change their answers on the way here: their AD bit is believed (RFC 4035
     * §4.9.3), which DANE needs.
     */
    validating: v.boolean(),
    /** An answer is kept at least so long. */
    minTtlSeconds: v.pipe(v.number(), v.integer(), v.minValue(30), v.maxValue(86_400)),
  }),
  defaults: { servers: [], alternates: [], reverseTimeoutSeconds: 20, validating: false, minTtlSeconds: 1800 },
  migrations: { 1: (old) => ({ validating: false, ...(old as object) }) },
  verify: ({ servers, alternates }) => {
    const issue = (path: string, message: string): Issue => ({ path, message, severity: 'error' })
    return [
      ...repeated(servers.map((s) => s.address)).map((a) =>
        issue(`dns.servers.${a}`, `The DNS server ${a} is listed twice.`),
      ),
      ...repeated(alternates.map((s) => s.domain.toLowerCase())).map((d) =>
        issue(`dns.alternates.${d}`, `There are two alternate DNS servers for ${d}.`),
      ),
    ]
  },
})
export type DnsSettings = (typeof dns)['defaults']
