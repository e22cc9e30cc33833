import { Resolver as NodeResolver } from 'node:dns/promises'
import type { DnsSettings } from '../../config/sections/dns.ts'
import type { Resolver } from '../../core/resolver.ts'

const TIMEOUT_MS = 3000
const TRIES = 2

/** The name servers of `dnsconfig` that answer for a name, the first choice first; none = the machine's. */
export const serversFor = (name: string, { servers, alternates }: DnsSettings): readonly string[] => {
  const asked = `.${name.toLowerCase().replace(/\.$/, '')}`
  const nearest = [...alternates]
    .sort((a, b) => b.domain.length - a.domain.length)
    .find(({ domain }) => asked.endsWith(`.${domain.toLowerCase()}`))
  if (nearest) return [nearest.address]
  return [...servers].sort((a, b) => a.priority - b.priority).map((s) => s.address)
}

export interface ConfigurableResolver extends Resolver {
  /** Own servers from now on; with none the machine's. */
  configure(settings: DnsSettings): void
}

/** The machine's name servers or the operator's. Two tries of three seconds each: a mail transaction waits on this. */
export const systemResolver = (): ConfigurableResolver => {
  const open = (servers: readonly string[], timeout: number): NodeResolver => {
    const dns = new NodeResolver({ timeout, tries: TRIES })
    if (servers.length > 0) dns.setServers([...servers])
    return dns
  }
  let forward = open([], TIMEOUT_MS)
  let backward = forward
  let alternates: readonly { readonly domain: string; readonly dns: NodeResolver }[] = []

  const responsible = (name: string): NodeResolver => {
    const asked = `.${name.toLowerCase().replace(/\.$/, '')}`
    return alternates.find(({ domain }) => asked.endsWith(`.${domain}`))?.dns ?? forward
  }

  return {
    resolve: (name, rrtype) => responsible(name).resolve(name, rrtype),
    reverse: (address) => backward.reverse(address),
    configure: ({ servers, alternates: others, reverseTimeoutSeconds }) => {
      const inOrder = [...servers].sort((a, b) => a.priority - b.priority).map((s) => s.address)
      forward = open(inOrder, TIMEOUT_MS)
      // c-ares asks `tries` times: together they last the time-out.
      backward = open(inOrder, Math.min(TIMEOUT_MS, (reverseTimeoutSeconds * 1000) / TRIES))
      // The longest domain first: it is the nearest.
      alternates = [...others]
        .sort((a, b) => b.domain.length - a.domain.length)
        .map(({ domain, address }) => ({ domain: domain.toLowerCase(), dns: open([address], TIMEOUT_MS) }))
    },
  }
}
