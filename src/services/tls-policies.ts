import { dns as dnsSection } from '../config/sections/dns.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Resolver } from '../core/resolver.ts'
import type { SecureResolver } from '../core/secure-resolver.ts'
import { isMxOf } from '../mail/delivery/mta-sts.ts'
import type { DeliveryTerms } from '../mail/delivery/terms.ts'
import { tlsDemand } from '../mail/delivery/tls-demand.ts'
import type { Failure, SmtpTarget, TlsDemand } from '../mail/delivery/transport.ts'
import type { StoredStsPolicy } from '../store/sts-policies.ts'
import { createDaneLookup } from './dane.ts'
import type { DaneLookup } from './dane.ts'
import type { StsPolicies } from './sts-policies.ts'

/** Who says what is asked of TLS with a host, where it is not destconfig alone. */
export type TlsBasis = 'dane' | 'dane-unusable' | 'mta-sts' | 'mta-sts-testing'

export type HostTls =
  | {
      readonly ok: true
      readonly demand: TlsDemand
      readonly basis: TlsBasis | null
      /** For SNI. */
      readonly servername: string
      /** Testing: what enforcing would find wrong before a connection is made. */
      readonly objection: string | null
    }
  | { readonly ok: false; readonly failure: Failure }

/** For one domain, while a connection to one of its hosts is opened. */
export interface DomainTls {
  /** Finds the hosts. */
  readonly resolver: Resolver
  of(target: SmtpTarget): Promise<HostTls>
}

export interface TlsPolicies {
  /** `byMx`: the hosts are found by DNS; an operator's route names its hosts, and neither DANE nor MTA-STS is asked. */
  forDomain(
    domain: string,
    byMx: boolean,
    terms: Pick<DeliveryTerms, 'tls' | 'dane' | 'mtaSts'>,
    signal: AbortSignal,
  ): Promise<DomainTls>
}

export interface TlsPoliciesDeps {
  readonly config: ConfigReader
  readonly resolver: Resolver
  readonly secureResolver: SecureResolver
  readonly stsPolicies: StsPolicies
}

const left = (response: string): { readonly ok: false; readonly failure: Failure } => ({
  ok: false,
  failure: { permanent: false, code: '000', status: '4.7.5', response },
})

/** destconfig, DANE (RFC 7672) and MTA-STS (RFC 8461) together. Where a host has TLSA records, these decide (RFC 8461 §2). */
export const createTlsPolicies = ({ config, resolver, secureResolver, stsPolicies }: TlsPoliciesDeps): TlsPolicies => {
  const plain = (target: SmtpTarget, domain: string, tls: DeliveryTerms['tls']) =>
    ({
      ok: true,
      demand: tlsDemand(tls, target.host, domain),
      basis: null,
      servername: target.host,
      objection: null,
    }) as const

  /** Null = DANE says nothing of this host. */
  const byDane = async (
    target: SmtpTarget,
    domain: string,
    terms: Pick<DeliveryTerms, 'tls' | 'dane'>,
    lookup: DaneLookup | null,
  ): Promise<HostTls | null> => {
    if (terms.dane === 'none') return null
    const { host } = target
    const mandatory = terms.dane === 'mandatory'
    if (lookup === null)
      return mandatory ? left(`DANE is mandatory for ${domain}, and no name server is trusted with DNSSEC`) : null
    const found = await lookup.of(target)
    switch (found.kind) {
      case 'failed':
        return left(`DANE: ${found.reason}`)
      case 'none':
        return mandatory ? left(`DANE is mandatory for ${domain}: ${found.reason}`) : null
      case 'unusable': {
        if (mandatory) return left(`DANE is mandatory for ${domain}: no TLSA record of ${host} can be used`)
        const asked = plain(target, domain, terms.tls)
        return { ...asked, basis: 'dane-unusable', demand: { ...asked.demand, use: 'required' } }
      }
      case 'records': {
        const { records, base } = found
        const names = [...new Set([base, domain, host])]
        const demand: TlsDemand = { use: 'required', proof: 'required', names, altNamesOnly: false, tlsa: records }
        return { ok: true, demand, basis: 'dane', servername: base, objection: null }
      }
    }
  }

  const bySts = (
    target: SmtpTarget,
    domain: string,
    tls: DeliveryTerms['tls'],
    policy: StoredStsPolicy | null,
  ): HostTls => {
    const asked = plain(target, domain, tls)
    if (policy === null) return asked
    const { host } = target
    const stranger = isMxOf(policy, host) ? null : `MTA-STS: ${host} is no mail host by the policy of ${domain}`
    if (policy.mode === 'testing') {
      const { demand } = asked
      const proven: TlsDemand = { ...demand, proof: 'wanted', names: [host], altNamesOnly: true }
      return {
        ...asked,
        basis: 'mta-sts-testing',
        demand: demand.proof === 'none' ? proven : demand,
        objection: stranger,
      }
    }
    if (stranger !== null) return left(stranger)
    const demand: TlsDemand = { use: 'required', proof: 'required', names: [host], altNamesOnly: true, tlsa: [] }
    return { ...asked, basis: 'mta-sts', demand }
  }

  return {
    forDomain: async (domain, byMx, { tls, dane, mtaSts }, signal) => {
      if (!byMx || tls === 'no') return { resolver, of: (target) => Promise.resolve(plain(target, domain, tls)) }
      const lookup =
        dane !== 'none' && config.get(dnsSection).validating ? createDaneLookup(domain, secureResolver, signal) : null
      const policy = mtaSts ? await stsPolicies.policyOf(domain, signal) : null
      return {
        resolver: lookup?.resolver ?? resolver,
        of: async (target) =>
          (await byDane(target, domain, { tls, dane }, lookup)) ?? bySts(target, domain, tls, policy),
      }
    },
  }
}
