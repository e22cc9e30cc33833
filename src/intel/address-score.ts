import { BlockList, isIP } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { createLru } from '../core/lru.ts'
import type { IntelLookup } from './lookup.ts'

/** What the intelligence service says of a client's address. `private`: the address means nothing outside its network. */
export type AddressScore =
  | { readonly kind: 'score'; readonly score: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'private' }
  | { readonly kind: 'unavailable' }

const KEEP_MS = 300_000
/** A service that does not answer is not asked about the same address by every connection. */
const KEEP_FAILURE_MS = 10_000
const KEPT = 10_000
const DEADLINE_MS = 1000

const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')
PRIVATE.addAddress('::1', 'ipv6')

const IN_PRIVATE: AddressScore = { kind: 'private' }

const isPrivate = (address: string): boolean => PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Score of an address: that of opinions on the address as a host. Never rejects, answers within a second. */
export const createAddressScores = (deps: { readonly lookup: () => IntelLookup; readonly clock: Clock }) => {
  const { lookup, clock } = deps
  const cache = createLru<AddressScore>(KEPT, clock)

  const ask = async (address: string): Promise<AddressScore> => {
    const url = `http://${address.includes(':') ? `[${address}]` : address}/`
    try {
      const never = new AbortController().signal
      const answer = await withDeadline(clock, DEADLINE_MS, never, (signal) => lookup().urls([url], signal))
      const score = answer.get(url)?.score ?? null
      return score === null ? { kind: 'none' } : { kind: 'score', score }
    } catch {
      return { kind: 'unavailable' }
    }
  }

  return {
    of: async (address: string): Promise<AddressScore> => {
      const known = cache.get(address)
      if (known) return known
      if (isPrivate(address)) {
        cache.set(address, IN_PRIVATE, KEEP_MS)
        return IN_PRIVATE
      }
      const score = await ask(address)
      cache.set(address, score, score.kind === 'unavailable' ? KEEP_FAILURE_MS : KEEP_MS)
      return score
    },
    /** Opinions have changed. */
    flush: (): void => cache.clear(),
  }
}
