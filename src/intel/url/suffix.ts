import { parse } from 'tldts'

/** What the public suffix list says of a host name. The private section counts: who rents a name below `github.io` is judged alone. */
export interface Registrable {
  /** The registrable domain (`example.co.uk`, `user.github.io`); null for an address, a bare suffix or a single label. */
  readonly domain: string | null
  /** A suffix of a registry (`com`, `co.uk`): nobody's domain. */
  readonly registrySuffix: boolean
  readonly address: boolean
}

export const registrable = (host: string): Registrable => {
  const result = parse(host, { allowPrivateDomains: true, validateHostname: false })
  return {
    domain: result.domain,
    registrySuffix: result.domain === null && result.isIcann === true,
    address: result.isIp === true,
  }
}

/** The host and its parents down to the registrable domain, longest first; at most `limit` parents. */
export const hostAndParents = (host: string, limit: number): readonly string[] => {
  const { domain, address } = registrable(host)
  if (address || domain === null || domain.length >= host.length) return [host]
  const parents: string[] = []
  for (let rest = host; rest.length > domain.length;) {
    rest = rest.slice(rest.indexOf('.') + 1)
    parents.push(rest)
  }
  return [host, ...parents.slice(-limit)]
}
