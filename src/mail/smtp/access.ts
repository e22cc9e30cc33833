import { BlockList, isIP } from 'node:net'
import type { Listener } from '../../config/sections/listeners.ts'
import { splitAddress } from '../../core/mailbox-path.ts'
import type { Direction } from '../../store/spool.ts'

/** What a listener makes of a client: the built-in Host Access Table of two groups. */
export interface ClientPolicy {
  readonly behaviour: 'ACCEPT' | 'RELAY' | 'REJECT'
  readonly senderGroup: string | null
  readonly match: string
  readonly direction: Direction
}

/** An IPv4 client of a dual-stack socket shows as `::ffff:192.0.2.1`. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

const holds = (entry: string, address: string): boolean => {
  const [base = '', bits] = entry.split('/')
  if (isIP(base) !== isIP(address)) return false
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4'
  const width = family === 'ipv6' ? 128 : 32
  const prefix = bits === undefined ? width : Number(bits)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > width) return false
  const list = new BlockList()
  list.addSubnet(base, prefix, family)
  return list.check(address, family)
}

/** A relay host relays anywhere; anybody else is accepted by a public listener and rejected by a private one. */
export const clientPolicy = (listener: Listener, address: string): ClientPolicy => {
  const entry = listener.relayHosts.find((host) => host.toUpperCase() === 'ALL' || holds(host, address))
  if (entry !== undefined) return { behaviour: 'RELAY', senderGroup: 'RELAYLIST', match: entry, direction: 'outgoing' }
  if (listener.type === 'public')
    return { behaviour: 'ACCEPT', senderGroup: 'UNKNOWNLIST', match: 'ALL', direction: 'incoming' }
  return { behaviour: 'REJECT', senderGroup: null, match: 'ALL', direction: 'incoming' }
}

/** The Recipient Access Table: `example.com`, `.example.com` (its sub-domains), `user@example.com`, `user@`, `ALL`. */
export const accepts = (acceptDomains: readonly string[], recipient: string): boolean => {
  const { local, domain } = splitAddress(recipient.toLowerCase())
  return acceptDomains.some((entry) => {
    const e = entry.toLowerCase()
    if (e === 'all' || e === domain) return true
    if (e.endsWith('@')) return local === e.slice(0, -1)
    if (e.includes('@')) return e === `${local}@${domain}` || (local === 'postmaster' && e.endsWith(`@${domain}`))
    return e.startsWith('.') && domain.endsWith(e)
  })
}

/**
 * The recipient as it goes on, or null when the listener refuses it. `<postmaster>` without a domain is the first accepted
 * domain's (RFC 5321 §4.5.1).
 */
export const admitRecipient = (listener: Listener, policy: ClientPolicy, recipient: string): string | null => {
  const { local, domain } = splitAddress(recipient)
  if (domain === '') {
    const home = listener.acceptDomains.map((d) => d.slice(d.lastIndexOf('@') + 1)).find((d) => /^[^.]/.test(d))
    return home === undefined || home.toUpperCase() === 'ALL' ? null : `${local}@${home}`
  }
  return policy.behaviour === 'RELAY' || accepts(listener.acceptDomains, recipient) ? recipient : null
}
