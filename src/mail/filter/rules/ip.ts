import { BlockList, isIP } from 'node:net'

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** ::ffff:10.1.1.1 is 10.1.1.1 on a socket that takes both. */
const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')

/** `10.1.1.1`, `10.1.1.0/24`, `10.1.1.`, `10.1.1.50-55`, `2001:db8::/32`; null when the pattern is none of these. */
export const addressMatcher = (pattern: string): ((address: string) => boolean) | null => {
  const text = pattern.trim()
  const block = new BlockList()
  if (isIP(text) !== 0) block.addAddress(text, family(text))
  else if (!addRange(block, text)) return null
  return (address) => {
    const plain = unmapped(address)
    return isIP(plain) !== 0 && block.check(plain, family(plain))
  }
}

const addRange = (block: BlockList, text: string): boolean => {
  const cidr = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text)
  if (cidr) {
    const [, net = '', length = ''] = cidr
    if (isIP(net) === 0 || Number(length) > (isIP(net) === 6 ? 128 : 32)) return false
    block.addSubnet(net, Number(length), family(net))
    return true
  }
  const partial = /^((?:\d{1,3}\.){1,3})$/.exec(text)
  if (partial) {
    const octets = (partial[1] ?? '').split('.').filter((o) => o !== '')
    const net = [...octets, '0', '0', '0'].slice(0, 4).join('.')
    if (isIP(net) === 0) return false
    block.addSubnet(net, octets.length * 8, 'ipv4')
    return true
  }
  const range = /^((?:\d{1,3}\.){3})(\d{1,3})-(\d{1,3})$/.exec(text)
  if (!range) return false
  const [, base = '', from = '', to = ''] = range
  if (isIP(base + from) === 0 || isIP(base + to) === 0 || Number(from) > Number(to)) return false
  block.addRange(base + from, base + to, 'ipv4')
  return true
}
