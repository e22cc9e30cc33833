import { BlockList, isIP } from 'node:net'
import { plainAddress } from '../core/plain-address.ts'
import { fail, ok } from '../core/result.ts'
import type { Field } from '../core/schema.ts'

const split = (text: string): { readonly address: string; readonly bits: number | null } | null => {
  const [, address = '', digits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return null
  const bits = digits === undefined ? null : Number(digits)
  return bits !== null && bits > (version === 4 ? 32 : 128) ? null : { address, bits }
}

export const isAddressBlock = (text: string): boolean => split(text) !== null

/** `10.1.1.1`, `10.1.0.0/16`, `2001:db8::/32`. */
export const addressBlock: Field<string> = {
  parse: (text) =>
    isAddressBlock(text.trim())
      ? ok(text.trim())
      : fail('The value must be an address or a block of addresses. (Ex: 192.168.1.1, 10.1.0.0/16, 2001:db8::/32)'),
  format: (block) => block,
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Whether one of the blocks holds the address. */
export const inBlocks = (blocks: readonly string[], address: string): boolean => {
  const list = new BlockList()
  for (const block of blocks) {
    const parts = split(block)
    if (parts === null) continue
    if (parts.bits === null) list.addAddress(parts.address, family(parts.address))
    else list.addSubnet(parts.address, parts.bits, family(parts.address))
  }
  const plain = plainAddress(address)
  return isIP(plain) !== 0 && list.check(plain, family(plain))
}
