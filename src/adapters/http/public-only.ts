import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { errorText } from '../../core/errors.ts'
import { isPublicAddress } from '../../core/public-address.ts'
import type { Resolver } from '../../core/resolver.ts'

export type AddressRule = (address: string) => boolean

const addressesOf = async (resolver: Resolver, name: string, rrtype: 'A' | 'AAAA'): Promise<readonly string[]> => {
  try {
    const answer = await resolver.resolve(name, rrtype)
    return Array.isArray(answer) ? answer.filter((a): a is string => typeof a === 'string' && isIP(a) !== 0) : []
  } catch {
    return []
  }
}

/**
 * Name look-up for connections to hosts that somebody else named. The addresses that pass are those that the socket
 * connects to: a second look-up with another answer cannot come in between. One forbidden address condemns the name.
 */
export const publicLookup =
  (resolver: Resolver, isAllowed: AddressRule = isPublicAddress): LookupFunction =>
  (hostname, options, callback) => {
    const refuse = (text: string): void => callback(Object.assign(new Error(text), { code: 'EACCES' }), '', 0)
    const find = async (): Promise<void> => {
      const found = (await Promise.all([addressesOf(resolver, hostname, 'A'), addressesOf(resolver, hostname, 'AAAA')]))
        .flat()
        .map((address) => ({ address, family: isIP(address) }))
        .filter(({ family }) => !options.family || options.family === family)
      const [first] = found
      if (first === undefined) refuse(`${hostname} has no address`)
      else if (!found.every(({ address }) => isAllowed(address)))
        refuse(`${hostname} has an address that is not public`)
      else if (options.all === true) callback(null, found)
      else callback(null, first.address, first.family)
    }
    find().catch((error: unknown) => refuse(errorText(error)))
  }

/** A URL with an address in place of a name is connected to without a look-up. */
export const isAllowedHost = (hostname: string, isAllowed: AddressRule = isPublicAddress): boolean => {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 || isAllowed(host)
}
