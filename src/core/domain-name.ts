import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

const ASCII = /^[\u0000-\u007f]*$/
/** What ends a name for those who read URLs has no place in one: the rest of it would be dropped. */
const NAME = /^[\w.\u0080-\u{10ffff}-]+$/u

/**
 * A domain as DNS, tables and next hops know it: U-labels become A-labels (RFC 5890 §2.3.2.1), so that `bücher.example` and
 * `xn--bcher-kva.example` are one. null = no domain name. A leading dot (a partial domain) stays; ASCII is left as it is.
 */
export const asciiDomain = (domain: string): string | null => {
  if (ASCII.test(domain)) return domain
  const dot = domain.startsWith('.') ? '.' : ''
  const name = NAME.test(domain) ? domainToASCII(domain.slice(dot.length)) : ''
  // Digits in another script are no way to write an IP address.
  return name === '' || isIP(name) !== 0 ? null : `${dot}${name}`
}

/** A mailbox or an entry of a table, with its domain so; null = it has none. */
export const asciiMailbox = (address: string): string | null => {
  const at = address.lastIndexOf('@') + 1
  const domain = asciiDomain(address.slice(at))
  return domain === null ? null : `${address.slice(0, at)}${domain}`
}
