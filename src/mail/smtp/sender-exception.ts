import type { SenderException } from '../../config/sections/sender-exceptions.ts'
import { splitAddress } from '../../core/mailbox-path.ts'
import { oncePer } from '../../core/once-per.ts'

/** How well an entry fits: a whole address says more than a user, a user more than a domain. */
const weight = (entry: string): number => {
  if (entry.includes('@')) return entry.startsWith('@') ? 0 : entry.endsWith('@') ? 1000 : 2000
  return entry.startsWith('.') ? entry.length - 1000 : 0
}

const fits = (entry: string, local: string, domain: string): boolean => {
  if (entry.endsWith('@')) return entry.slice(0, -1) === local
  if (entry.startsWith('@')) return entry.slice(1) === domain
  if (entry.includes('@')) return entry === `${local}@${domain}`
  return entry.startsWith('.') ? domain.endsWith(entry) : entry === domain
}

/** The entries that say most first. */
const sorted = oncePer((table: readonly SenderException[]) =>
  [...table].sort((a, b) => weight(b.address) - weight(a.address)),
)

/** The entry of the exception table that decides about an envelope sender. */
export const senderException = (table: readonly SenderException[], sender: string): SenderException | undefined => {
  if (table.length === 0 || sender === '') return undefined
  const { local, domain } = splitAddress(sender.toLowerCase())
  return sorted(table).find((e) => fits(e.address, local, domain))
}
