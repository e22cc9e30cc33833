import { domainToASCII } from 'node:url'
import type { Env } from '../../core/env.ts'
import { Fault } from '../../core/errors.ts'
import type { SecureAnswer, SecureResolver } from '../../core/secure-resolver.ts'
import type { DnsReply } from '../../services/diagnostics.ts'
import { encodeQuery } from './dns-packet.ts'
import { DNS_PORT, exchange, machineServers } from './dns-query.ts'

/** A name server by its address, with the port where it is not 53. */
interface Server {
  readonly server: string
  readonly port: number
}

export interface SecureResolverOptions {
  /** Addresses of the servers for a name, the first choice first; none = the machine's. */
  readonly servers: (name: string) => readonly string[]
  readonly port?: number
}

type Reply = Pick<DnsReply, 'rcode' | 'flags' | 'question' | 'answer'>

const MAX_ALIASES = 10
const RCODES: Readonly<Record<number, string>> = { 1: 'EFORMERR', 2: 'ESERVFAIL', 4: 'ENOTIMP', 5: 'EREFUSED' }

const bare = (name: string): string => name.toLowerCase().replace(/\.$/, '')
const failure = (code: string, text: string): Error => Object.assign(new Error(text), { code })

/** The records of a type, at the name itself or behind its aliases. */
const read = ({ rcode, flags, answer }: Reply, name: string, type: string): SecureAnswer => {
  let canonical = bare(name)
  const seen = new Set<string>()
  for (let i = 0; i < MAX_ALIASES && !seen.has(canonical); i++) {
    seen.add(canonical)
    const alias = answer.find((r) => r.type === 'CNAME' && bare(r.name) === canonical)
    if (alias) canonical = bare(alias.data)
  }
  const records = answer.filter((r) => r.type === type && bare(r.name) === canonical).map((r) => r.data)
  const found = records.length > 0 ? 'records' : rcode === 3 ? 'no name' : 'no data'
  return { secure: flags.includes('ad'), found, records, canonical }
}

/**
 * Asks name servers for answers whose DNSSEC validation they vouch for (the AD bit). Whether they are to be believed is the
 * operator's word (dnsconfig). A bogus answer is a failure (RFC 4035 §5.5), never an answer without a signature.
 */
export const createSecureResolver = (
  { entropy }: Pick<Env, 'entropy'>,
  { servers, port }: SecureResolverOptions,
): SecureResolver => {
  const serversOf = (name: string): readonly Server[] => {
    const own = servers(name).map((server) => ({ server, port: port ?? DNS_PORT }))
    if (own.length > 0) return own
    return machineServers().map((m) => ({ server: m.server, port: port ?? m.port ?? DNS_PORT }))
  }
  return {
    resolve: async (given, type, signal) => {
      const name = /^[!-~]*$/.test(given) ? given : domainToASCII(given)
      let problem = failure('ECONNREFUSED', 'there is no name server')
      for (const to of serversOf(name)) {
        signal.throwIfAborted()
        try {
          const query = encodeQuery(Buffer.from(entropy.bytes(2)).readUInt16BE(0), { name, type }, true)
          const reply = await exchange(query, { ...to, source: null, signal })
          const [asked] = reply.question
          if (
            !reply.flags.includes('qr') ||
            asked === undefined ||
            bare(asked.name) !== bare(name) ||
            asked.type !== type
          )
            throw failure('EBADRESP', `${to.server} answers another question`)
          const code = reply.rcode === 0 || reply.rcode === 3 ? null : (RCODES[reply.rcode] ?? `ERCODE${reply.rcode}`)
          if (code === null) return read(reply, name, type)
          throw failure(code, `${to.server} answers ${code}`)
        } catch (error) {
          signal.throwIfAborted()
          const late = error instanceof Fault && error.code === 'TIMED_OUT'
          problem =
            error instanceof Fault ? failure(late ? 'ETIMEOUT' : 'ECONNREFUSED', error.message) : (error as Error)
        }
      }
      throw problem
    },
  }
}
