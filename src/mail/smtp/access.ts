import type { Listener, RecipientEntry } from '../../config/sections/listeners.ts'
import { splitAddress } from '../../core/mailbox-path.ts'

const fits = (entry: string, local: string, domain: string): boolean => {
  const e = entry.toLowerCase()
  if (e === 'all' || e === domain) return true
  if (e.endsWith('@')) return local === e.slice(0, -1)
  if (e.includes('@')) return e === `${local}@${domain}` || (local === 'postmaster' && e.endsWith(`@${domain}`))
  return e.startsWith('.') && domain.endsWith(e)
}

/** The entry of the Recipient Access Table that decides about a recipient: the first that matches. */
export const recipientEntry = (listener: Listener, recipient: string): RecipientEntry | undefined => {
  const { local, domain } = splitAddress(recipient.toLowerCase())
  return listener.recipientAccess.find((e) => fits(e.address, local, domain))
}

/** A domain that the table accepts, whole or in part, other than by `ALL`: the listener's own. */
export const servesDomain = (listener: Listener, domain: string): boolean =>
  listener.recipientAccess.some(({ address, access }) => {
    const own = address.slice(address.lastIndexOf('@') + 1)
    return access === 'accept' && own !== '' && own.toUpperCase() !== 'ALL' && fits(own, 'x', domain.toLowerCase())
  })

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
