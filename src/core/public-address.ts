import { BlockList, isIP } from 'node:net'

/** One list a family: in a list with `::ffff:0:0/96` BlockList finds every IPv4 address. */
const FORBIDDEN = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  FORBIDDEN.ipv4.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  // With an IPv4 address inside (compatible, mapped, translated, Teredo, 6to4): it may be any, also 127.0.0.1.
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  // To nobody, or not forwarded (RFC 6666, 4843, 7343, 9602).
  ['100::', 64],
  ['2001:10::', 28],
  ['2001:20::', 28],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  FORBIDDEN.ipv6.addSubnet(network, bits, 'ipv6')

/**
 * Where a name that somebody else wrote (an MX, a short link, a feed's redirect) may send us: not to ourselves, into
 * private networks, to a metadata service, or to what is no host at all. A text that is no address is not public.
 */
export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return isIP(address) !== 0 && !FORBIDDEN[family].check(address, family)
}
