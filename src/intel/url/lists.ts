import { BlockList, isIP } from 'node:net'
import { canonicalHost, canonicalText, canonicalUrl } from './canonical.ts'

const network = (entry: string): { readonly address: string; readonly prefix: number | null } | null => {
  const m = /^\[?([0-9a-f:.]+)\]?(?:\/(\d{1,3}))?$/i.exec(entry)
  return m && isIP(m[1] as string) !== 0
    ? { address: m[1] as string, prefix: m[2] === undefined ? null : Number(m[2]) }
    : null
}

/**
 * Entries of `urllistconfig`: `example.com` that host with all its pages, `*.example.com` every host below it,
 * `example.com/dir/*` what begins so, `example.com/page` that page, `10.2.4.5/24` and `[2001:DB8::1]` addresses as hosts.
 */
export const urlListMatcher = (entries: readonly string[]): ((url: string) => boolean) => {
  const hosts = new Set<string>()
  const below: string[] = []
  const pages = new Set<string>()
  const beginnings: string[] = []
  const networks = new BlockList()
  for (const entry of entries) {
    const text = entry.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    const net = network(text)
    if (net) {
      const family = isIP(net.address) === 6 ? 'ipv6' : 'ipv4'
      const widest = family === 'ipv6' ? 128 : 32
      networks.addSubnet(net.address, Math.min(net.prefix ?? widest, widest), family)
    } else if (/^\*?\./.test(text)) below.push(`.${canonicalHost(text.replace(/^\*?\./, '').replace(/\/\*?$/, ''))}`)
    else if (!/\/[^*]/.test(text)) hosts.add(canonicalHost(text.replace(/\/\*?$/, '')))
    else {
      const url = canonicalUrl(text.replace(/\*$/, ''))
      if (url === null) continue
      if (text.endsWith('*')) beginnings.push(canonicalText(url))
      else pages.add(canonicalText(url))
    }
  }
  return (url) => {
    const canonical = canonicalUrl(url)
    if (canonical === null) return false
    const { host } = canonical
    const address = host.replace(/^\[|\]$/g, '')
    const family = isIP(address)
    if (family !== 0) return hosts.has(host) || networks.check(address, family === 6 ? 'ipv6' : 'ipv4')
    const text = canonicalText(canonical)
    return (
      hosts.has(host) ||
      below.some((suffix) => host.endsWith(suffix)) ||
      pages.has(text) ||
      pages.has(host + canonical.path) ||
      beginnings.some((start) => text.startsWith(start))
    )
  }
}
