import { Resolver as NodeResolver } from 'node:dns/promises'
import type { Resolver } from '../../core/resolver.ts'

const TIMEOUT_MS = 3000
const TRIES = 2

/** The machine's name servers. Two tries of three seconds: a mail transaction waits on this. */
export const systemResolver = (): Resolver => {
  const dns = new NodeResolver({ timeout: TIMEOUT_MS, tries: TRIES })
  return {
    resolve: (name, rrtype) => dns.resolve(name, rrtype),
    reverse: (address) => dns.reverse(address),
  }
}
