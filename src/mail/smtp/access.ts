import type { Listener, RecipientEntry } from '../../config/sections/listeners.ts'
import { splitAddress } from '../../core/mailbox-path.ts'
import { oncePer } from '../../core/once-per.ts'

/** All keys under which a table can hold an address or be wider than it: whole, domain, user, partial domains. */
export const keysOf = (address: string): readonly string[] => {
  const { local, domain } = splitAddress(address.toLowerCase())
  return [`${local}@${domain}`, `${local}@`, ...domainKeys(domain)]
}

const domainKeys = (domain: string): readonly string[] => {
  const keys = [domain]
  for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) keys.push(domain.slice(dot))
  return keys
}

interface Table {
  /** Place of the first entry with this text. */
  readonly places: ReadonlyMap<string, number>
  /** Place of the first whole address in a domain: its postmaster is taken with it (RFC 5321 §4.5.1). */
  readonly postmasters: ReadonlyMap<string, number>
  /** Accepted domains, whole or in part. */
  readonly served: ReadonlySet<string>
}

/** A table may have ten thousand entries: it is not read for each recipient. */
const tableOf = oncePer((entries: readonly RecipientEntry[]): Table => {
  const places = new Map<string, number>()
  const postmasters = new Map<string, number>()
  const served = new Set<string>()
  for (const [i, { address, access }] of entries.entries()) {
    const key = address.toLowerCase()
    const at = key.lastIndexOf('@')
    const domain = key.slice(at + 1)
    if (!places.has(key)) places.set(key, i)
    if (at >= 0 && domain !== '' && !postmasters.has(domain)) postmasters.set(domain, i)
    if (access === 'accept' && domain !== '' && domain !== 'all') served.add(domain)
  }
  return { places, postmasters, served }
})

/** The entry of the Recipient Access Table that decides about a recipient: the first that matches. */
export const recipientEntry = (listener: Listener, recipient: string): RecipientEntry | undefined => {
  const { places, postmasters } = tableOf(listener.recipientAccess)
  const { local, domain } = splitAddress(recipient.toLowerCase())
  const found = ['all', ...keysOf(recipient)].flatMap((key) => places.get(key) ?? [])
  const first = Math.min(...found, local === 'postmaster' ? (postmasters.get(domain) ?? Infinity) : Infinity)
  return listener.recipientAccess[first]
}

/** A domain that the table accepts, whole or in part, other than by `ALL`: the listener's own. */
export const servesDomain = (listener: Listener, domain: string): boolean => {
  const { served } = tableOf(listener.recipientAccess)
  return domainKeys(domain.toLowerCase()).some((key) => served.has(key))
}

/**
 * The recipient with a domain, or null when there is none to give. `<postmaster>` is the first accepted domain's
 * (RFC 5321 §4.5.1).
 */
export const wholeRecipient = (listener: Listener, recipient: string): string | null => {
  const { local, domain } = splitAddress(recipient)
  if (domain !== '') return recipient
  const home = listener.recipientAccess
    .filter((e) => e.access === 'accept')
    .map((e) => e.address.slice(e.address.lastIndexOf('@') + 1))
    .find((d) => /^[^.]/.test(d))
  return home === undefined || home.toUpperCase() === 'ALL' ? null : `${local}@${home}`
}
