import type { AddressList } from '../../config/sections/address-lists.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { splitAddress } from '../../core/mailbox-path.ts'

const listed = (entries: readonly string[], recipient: string): boolean => {
  const { local, domain } = splitAddress(recipient.toLowerCase())
  return entries.some((entry) => {
    const e = entry.toLowerCase()
    if (e.endsWith('@')) return local === e.slice(0, -1)
    if (!e.includes('@') || e.startsWith('@')) {
      const name = e.replace(/^@/, '')
      return name.startsWith('.') ? domain.endsWith(name) : domain === name
    }
    return e === `${local}@${domain}`
  })
}

/** Whether a recipient that the Recipient Access Table accepts is one. Postmaster always is (RFC 5321 §4.5.1). */
export const isRecipient = (
  listener: Listener,
  recipient: string,
  lists: readonly AddressList[],
  mailboxExists: (address: string) => Promise<boolean>,
): boolean | Promise<boolean> => {
  if (listener.recipientValidation === 'off' || /^postmaster@/i.test(recipient)) return true
  if (listener.recipientValidation === 'mailboxes') return mailboxExists(recipient)
  return listed(lists.find((l) => l.name === listener.recipientList)?.entries ?? [], recipient)
}
