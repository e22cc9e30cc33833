import type { AddressList } from '../../config/sections/address-lists.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { oncePer } from '../../core/once-per.ts'
import { keysOf } from './access.ts'

const NOBODY: readonly string[] = []

/** A list may have as many entries as there are people. `@example.com` and `example.com` say the same. */
const known = oncePer(
  (entries: readonly string[]): ReadonlySet<string> => new Set(entries.map((e) => e.toLowerCase().replace(/^@/, ''))),
)

const listed = (entries: readonly string[], recipient: string): boolean =>
  keysOf(recipient).some((key) => known(entries).has(key))

/** Whether a recipient that the Recipient Access Table accepts is one. Postmaster always is (RFC 5321 §4.5.1). */
export const isRecipient = (
  listener: Listener,
  recipient: string,
  addressLists: readonly AddressList[],
  mailboxExists: (address: string) => Promise<boolean>,
): boolean | Promise<boolean> => {
  if (listener.recipientValidation === 'off' || /^postmaster@/i.test(recipient)) return true
  if (listener.recipientValidation === 'mailboxes') return mailboxExists(recipient)
  return listed(addressLists.find((l) => l.name === listener.recipientList)?.entries ?? NOBODY, recipient)
}
