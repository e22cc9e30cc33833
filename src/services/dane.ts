import type { Resolver } from '../core/resolver.ts'
import type { SecureAnswer, SecureResolver } from '../core/secure-resolver.ts'
import type { SmtpTarget } from '../mail/delivery/transport.ts'
import { usableTlsa } from '../mail/delivery/tlsa.ts'
import type { Tlsa } from '../mail/delivery/tlsa.ts'

/** What DANE says of one host (RFC 7672 §2). */
export type HostDane =
  /** `base`: the name under which the records stand; SNI and certificates of usage 2 go by it (§3.2.2). */
  | { readonly kind: 'records'; readonly records: readonly Tlsa[]; readonly base: string }
  /** There are records, none of which can be used: TLS, and no proof by DANE. */
  | { readonly kind: 'unusable' }
  | { readonly kind: 'none'; readonly reason: string }
  /** What there is cannot be learnt, or was tampered with: the host is not used. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface DaneLookup {
  /** Finds hosts by answers whose validation is remembered for `of`. */
  readonly resolver: Resolver
  of(target: SmtpTarget): Promise<HostDane>
}

const missing = (answer: SecureAnswer, name: string): Error =>
  Object.assign(new Error(`${name} has none`), { code: answer.found === 'no name' ? 'ENOTFOUND' : 'ENODATA' })

const exchangeOf = (data: string): { readonly priority: number; readonly exchange: string } => {
  const [, priority = '0', exchange = ''] = /^(\d+) (.*)$/.exec(data) ?? []
  return { priority: Number(priority), exchange: exchange === '.' ? '' : exchange.replace(/\.$/, '') }
}

/**
 * Looks for the hosts of one domain and for what DANE says of each. The hosts come from the very answers that were
 * validated: asked a second time, somebody between us and the servers could answer otherwise.
 */
export const createDaneLookup = (domain: string, dns: SecureResolver, signal: AbortSignal): DaneLookup => {
  const answers = new Map<string, SecureAnswer>()
  const key = (name: string, type: string): string => `${type} ${name.toLowerCase()}`
  const resolve = async (name: string, rrtype: string): Promise<unknown> => {
    if (rrtype !== 'A' && rrtype !== 'AAAA' && rrtype !== 'MX') throw new Error(`no ${rrtype} here`)
    const answer = await dns.resolve(name, rrtype, signal)
    answers.set(key(name, rrtype), answer)
    if (answer.found !== 'records') throw missing(answer, name)
    return rrtype === 'MX' ? answer.records.map(exchangeOf) : answer.records
  }

  const of = async ({ host, address, port }: SmtpTarget): Promise<HostDane> => {
    if (answers.get(key(domain, 'MX'))?.secure !== true)
      return { kind: 'none', reason: 'its MX records are not signed' }
    const addresses = answers.get(key(host, address.includes(':') ? 'AAAA' : 'A'))
    if (addresses?.secure !== true) return { kind: 'none', reason: `the addresses of ${host} are not signed` }
    for (const base of new Set([addresses.canonical, host.toLowerCase()])) {
      let answer: SecureAnswer
      try {
        answer = await dns.resolve(`_${port}._tcp.${base}`, 'TLSA', signal)
      } catch (error) {
        signal.throwIfAborted()
        const { code = 'EUNKNOWN' } = error as { code?: string }
        return { kind: 'failed', reason: `the TLSA records of ${base} cannot be looked up: ${code}` }
      }
      if (answer.found !== 'records' || !answer.secure) continue
      const records = usableTlsa(answer.records)
      return records.length === 0 ? { kind: 'unusable' } : { kind: 'records', records, base }
    }
    return { kind: 'none', reason: `${host} has no signed TLSA records` }
  }

  return {
    resolver: { resolve, reverse: () => Promise.reject(new Error('no names of addresses here')) },
    of,
  }
}
