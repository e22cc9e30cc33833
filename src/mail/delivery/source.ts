import type { AlternateSource } from '../../config/sections/alternate-sources.ts'
import type { SpoolEntry } from '../../store/spool.ts'

/**
 * The address that a message goes out from; null = the system chooses. The sender's whole address goes before its domain, that
 * before the client's address.
 */
export const sourceFor = (
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
