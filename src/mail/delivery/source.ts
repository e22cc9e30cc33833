import { isIP } from 'node:net'
import type { AlternateSource } from '../../config/sections/alternate-sources.ts'
import type { Interfaces } from '../../config/sections/interfaces.ts'
import type { SpoolEntry } from '../../store/spool.ts'

/** Where mail leaves from. */
export interface Source {
  readonly address: string
  /** What it says of itself; null = the appliance's host name. */
  readonly hostname: string | null
}

/** The sender's whole address goes before its domain, that before the client's address. */
const mapped = (
  { sender, remoteAddress }: Pick<SpoolEntry, 'sender' | 'remoteAddress'>,
  mappings: readonly AlternateSource[],
): string | null => {
  if (mappings.length === 0) return null
  const address = sender.toLowerCase()
  const wanted = [address, address.slice(address.lastIndexOf('@')), remoteAddress.toLowerCase()]
  for (const match of wanted) {
    const found = match === '' ? undefined : mappings.find((m) => m.match.toLowerCase() === match)
    if (found) return found.address
  }
  return null
}

/** An address, an interface, or one of a group, which `turn` chooses. */
export const resolveSource = ({ interfaces, groups }: Interfaces, name: string, turn = 0): Source | null => {
  if (isIP(name) !== 0) return { address: name, hostname: null }
  const members = groups.find((g) => g.name === name)?.interfaces ?? [name]
  const chosen = interfaces.find((i) => i.name === members[turn % members.length])
  return chosen ? { address: chosen.address, hostname: chosen.hostname === '' ? null : chosen.hostname } : null
}

/** Where a message leaves from, by `altsrchost`, then by `deliveryconfig`; null = the system chooses. */
export const sourceFor = (
  entry: Pick<SpoolEntry, 'mid' | 'sender' | 'remoteAddress'>,
  mappings: readonly AlternateSource[],
  settings: Interfaces,
): Source | null => {
  const name = mapped(entry, mappings) ?? settings.delivery
  return name === '' ? null : resolveSource(settings, name, entry.mid)
}
