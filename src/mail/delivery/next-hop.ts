import { isIP } from 'node:net'
import type { Entropy } from '../../core/entropy.ts'
import { isPublicAddress } from '../../core/public-address.ts'
import type { Resolver } from '../../core/resolver.ts'
import type { Route, RouteHost } from './route.ts'
import type { Failure, SmtpTarget } from './transport.ts'

export type NextHops =
  { readonly ok: true; readonly targets: readonly SmtpTarget[] } | { readonly ok: false; readonly failure: Failure }

/** Who we are ourselves: mail that somebody's MX sends here would come back for ever. */
export interface Ourselves {
  readonly hostname: string
  readonly addresses: readonly string[]
}

const MX_PORT = 25
/** Hosts and addresses tried for one domain: a hostile zone may list any number. */
const MAX_HOSTS = 10
const MAX_ADDRESSES = 20

class DnsProblem extends Error {
  override name = 'DnsProblem'
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.response)
    this.failure = failure
  }
}

const code = (error: unknown): string => (error as { code?: string }).code ?? 'EUNKNOWN'

/** Records of a name; none when the name or the type does not exist. @throws DnsProblem on a failure that may pass. */
const records = async (resolver: Resolver, name: string, type: string): Promise<readonly unknown[] | 'NXDOMAIN'> => {
  try {
    const answer = await resolver.resolve(name, type)
    return Array.isArray(answer) ? (answer as readonly unknown[]) : []
  } catch (error) {
    if (code(error) === 'ENOTFOUND') return 'NXDOMAIN'
    if (code(error) === 'ENODATA') return []
    const response = `DNS Soft Error looking up ${name} (${type}): ${code(error)}`
    throw new DnsProblem({ permanent: false, code: '000', status: '4.4.3', response })
  }
}

const hard = (status: string, response: string): DnsProblem =>
  new DnsProblem({ permanent: true, code: '000', status, response })

/** What look-ups side by side gave. One that failed for now does not stand in the way of the others. */
const together = async <T>(
  lookups: readonly Promise<readonly T[]>[],
): Promise<{ readonly found: readonly T[]; readonly problem: DnsProblem | null }> => {
  let problem: DnsProblem | null = null
  const found: T[] = []
  for (const end of await Promise.allSettled(lookups)) {
    if (end.status === 'fulfilled') found.push(...end.value)
    else if (end.reason instanceof DnsProblem) problem ??= end.reason
    else throw end.reason
  }
  return { found, problem }
}

/** @throws DnsProblem when nothing was found and something may be found later. */
const addresses = async (resolver: Resolver, host: string, port: number): Promise<readonly SmtpTarget[]> => {
  if (isIP(host) !== 0) return [{ address: host, port, host }]
  const lookUp = async (type: string): Promise<readonly unknown[]> => {
    const answer = await records(resolver, host, type)
    return answer === 'NXDOMAIN' ? [] : answer
  }
  const { found, problem } = await together(['A', 'AAAA'].map(lookUp))
  if (found.length === 0 && problem) throw problem
  return found.flatMap((a) => (typeof a === 'string' && isIP(a) !== 0 ? [{ address: a, port, host }] : []))
}

interface Exchange {
  readonly host: string
  readonly priority: number
}

/** MX hosts, best first, those of one preference in any order; the name itself when it has none (RFC 5321 §5.1). */
const exchanges = async (resolver: Resolver, domain: string, entropy: Entropy): Promise<readonly Exchange[]> => {
  const answer = await records(resolver, domain, 'MX')
  if (answer === 'NXDOMAIN') throw hard('5.1.2', `DNS Hard Error looking up ${domain} (MX):  NXDomain`)
  const mx = answer as readonly { readonly exchange: string; readonly priority: number }[]
  if (mx.length === 0) return [{ host: domain, priority: 0 }]
  // RFC 7505: "." alone says that the domain takes no mail.
  if (mx.every((m) => m.exchange === '' || m.exchange === '.'))
    throw hard('5.1.10', `${domain} accepts no mail (null MX)`)
  return mx
    .map((m) => ({ host: m.exchange, priority: m.priority, turn: entropy.int(1 << 30) }))
    .sort((a, b) => a.priority - b.priority || a.turn - b.turn)
    .map(({ host, priority }) => ({ host, priority }))
    .slice(0, MAX_HOSTS)
}

/** RFC 5321 §5.1: where we are a host of the domain ourselves, mail goes to better hosts only. */
const betterThanUs = (
  hosts: readonly Exchange[],
  found: readonly (SmtpTarget & { readonly priority: number })[],
  { hostname, addresses: own }: Ourselves,
): readonly SmtpTarget[] => {
  const name = hostname.toLowerCase()
  const isUs = (host: string): boolean => host.toLowerCase().replace(/\.$/, '') === name
  const ours = found.filter((t) => own.includes(t.address) || isUs(t.host))
  // Our own name counts also while its address cannot be looked up.
  const limit = Math.min(...[...ours, ...hosts.filter((h) => isUs(h.host))].map((t) => t.priority))
  return found.filter((t) => t.priority < limit).map(({ address, port, host }) => ({ address, port, host }))
}

const byDns = async (
  resolver: Resolver,
  domain: string,
  ourselves: Ourselves,
  entropy: Entropy,
): Promise<readonly SmtpTarget[]> => {
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(domain)?.[1]
  const hosts = literal === undefined ? await exchanges(resolver, domain, entropy) : [{ host: literal, priority: 0 }]
  const { found, problem } = await together(
    hosts.map(async ({ host, priority }) =>
      (await addresses(resolver, host, MX_PORT)).map((target) => ({ ...target, priority })),
    ),
  )
  const usable = betterThanUs(hosts, found, ourselves).filter((t) => isPublicAddress(t.address))
  if (usable.length > 0) return usable
  if (problem) throw problem
  if (found.length === 0) throw hard('5.1.2', `DNS Hard Error looking up ${domain} (A):  no address`)
  throw found.some((t) => isPublicAddress(t.address))
    ? hard('5.4.6', `the mail of ${domain} would come back: we are its mail host`)
    : hard('5.4.4', `every mail host of ${domain} has a private or loopback address`)
}

/** An operator's host may stand anywhere, also in private space. */
const byRoute = async (
  resolver: Resolver,
  { host, port, exact }: RouteHost,
  entropy: Entropy,
): Promise<readonly SmtpTarget[]> => {
  if (exact) return await addresses(resolver, host, port)
  const names = await exchanges(resolver, host, entropy)
  const { found, problem } = await together(names.map((n) => addresses(resolver, n.host, port)))
  if (found.length === 0 && problem) throw problem
  return found
}

/** The hosts to try, in order. DNS answers as the resolver gives them; its time-outs are temporary failures. */
export const nextHops = async (
  route: Extract<Route, { kind: 'hosts' | 'mx' }>,
  domain: string,
  resolver: Resolver,
  ourselves: Ourselves,
  entropy: Entropy,
): Promise<NextHops> => {
  try {
    if (route.kind === 'mx')
      return { ok: true, targets: (await byDns(resolver, domain, ourselves, entropy)).slice(0, MAX_ADDRESSES) }
    const targets: SmtpTarget[] = []
    let problem: Failure | null = null
    for (const host of route.hosts) {
      try {
        targets.push(...(await byRoute(resolver, host, entropy)))
      } catch (error) {
        if (!(error instanceof DnsProblem)) throw error
        problem = error.failure
      }
    }
    if (targets.length > 0) return { ok: true, targets: targets.slice(0, MAX_ADDRESSES) }
    // A route is the operator's: a name in it that does not resolve may be repaired, so the mail waits.
    const response = problem?.response ?? `no address for ${route.hosts.map((h) => h.host).join(', ')}`
    return { ok: false, failure: { permanent: false, code: '000', status: '4.4.4', response } }
  } catch (error) {
    if (error instanceof DnsProblem) return { ok: false, failure: error.failure }
    throw error
  }
}
