import { isIP } from 'node:net'
import { defaultListener, listeners } from '../config/sections/listeners.ts'
import type { Listener } from '../config/sections/listeners.ts'
import { UserError } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
import { emailAddress, isHostname } from '../core/schema.ts'
import type { Field } from '../core/schema.ts'
import { printableCut } from '../core/text.ts'
import type { Session } from './command.ts'

/* Fields and edits of listenerconfig, apart from its dialogue. */

export const listenerName: Field<string> = {
  parse: (text) => {
    const name = text.trim()
    if (name === '') return fail('A value is required.')
    return /^[A-Za-z][\w .-]{0,63}$/.test(name)
      ? ok(name)
      : fail('The name must begin with a letter and have only letters, numbers, blanks, dots, hyphens and underscores.')
  },
  format: (name) => name,
}

export const ipAddress: Field<string> = {
  parse: (text) => {
    const address = text.trim()
    return isIP(address) === 0
      ? fail(
          'The address must be 4 numbers separated by a period, or an IPv6 address. Each number must be a value from 0 to 255. (Ex: 192.168.1.1)',
        )
      : ok(address)
  },
  format: (address) => address,
}

/** `example.com`, `.example.com`, `joe@example.com`. */
export const acceptEntry: Field<string> = {
  parse: (text) => {
    const entry = text.trim().toLowerCase()
    const valid = entry.includes('@') ? emailAddress.parse(entry).ok : isHostname(entry.replace(/^\./, ''))
    return valid
      ? ok(entry)
      : fail(
          'The value must be a domain, a partial domain or an email address. (Ex: example.com, .example.com, joe@example.com)',
        )
  },
  format: (entry) => entry,
}

/** An address or a CIDR block. */
export const relayEntry: Field<string> = {
  parse: (text) => {
    const [address = '', bits, ...more] = text.trim().split('/')
    const family = isIP(address)
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
    return family !== 0 && fits && more.length === 0
      ? ok(text.trim())
      : fail('The value must be an IP address or a CIDR block. (Ex: 10.1.1.1, 10.1.1.0/24)')
  },
  format: (entry) => entry,
}

export const allListeners = ({ draft }: Session): readonly Listener[] => draft.get(listeners)

/** @throws UserError when there is no listener of that name or number. Names are case sensitive. */
export const findListener = (session: Session, text: string): Listener => {
  const all = allListeners(session)
  const found = all.find((l) => l.name === text) ?? (/^\d+$/.test(text) ? all[Number(text) - 1] : undefined)
  if (found === undefined) throw new UserError(`There is no listener '${printableCut(text, 80)}'.`)
  return found
}

/** @throws UserError when the name, or the address and port, belong to another listener. */
export const addListener = (
  session: Session,
  given: Pick<Listener, 'name' | 'type' | 'interfaceName' | 'address' | 'port'>,
): Listener => {
  const all = allListeners(session)
  if (all.some((l) => l.name === given.name)) throw new UserError(`There is a listener '${given.name}' already.`)
  const listener: Listener = { ...defaultListener, acceptDomains: [], relayHosts: [], ...given }
  assertFree(session, listener)
  session.draft.set(listeners, [...all, listener])
  return listener
}

/** @throws UserError when another listener has its address and port. */
export const changeListener = (session: Session, old: Listener, change: Partial<Listener>): Listener => {
  const next = { ...old, ...change }
  assertFree(session, next, old)
  session.draft.set(
    listeners,
    allListeners(session).map((l) => (l.name === old.name ? next : l)),
  )
  return next
}

export const removeListener = (session: Session, old: Listener): void =>
  session.draft.set(
    listeners,
    allListeners(session).filter((l) => l.name !== old.name),
  )

const assertFree = (session: Session, listener: Listener, self?: Listener): void => {
  const others = allListeners(session).filter((l) => l.name !== self?.name)
  const clash = others.find((l) => l.port !== 0 && l.address === listener.address && l.port === listener.port)
  if (clash !== undefined)
    throw new UserError(`The listener '${clash.name}' uses ${listener.address} port ${listener.port} already.`)
}

/** The two tables of a listener that say whom it serves. */
export interface AccessTable {
  readonly key: 'acceptDomains' | 'relayHosts'
  readonly title: string
  readonly noun: string
  readonly question: string
  readonly field: Field<string>
  readonly others: string
}

export const RECIPIENT_ACCESS: AccessTable = {
  key: 'acceptDomains',
  title: 'Recipient Access Table',
  noun: 'recipient',
  question: `Enter the recipient address for this entry.
Hostnames such as "example.com" are allowed. Partial hostnames such as ".example.com" are allowed.
Full email addresses such as "joe@example.com" are allowed. Separate multiple entries with commas.`,
  field: acceptEntry,
  others: 'Default Access: REJECT',
}

export const HOST_ACCESS: AccessTable = {
  key: 'relayHosts',
  title: 'Host Access Table',
  noun: 'relay host',
  question: `Enter the hosts whose mail is relayed.
CIDR addresses such as 10.1.1.0/24 are allowed. Separate multiple hosts with commas.`,
  field: relayEntry,
  others: 'Default Policy: ACCEPT',
}

const reads = (table: AccessTable, entry: string): string => {
  const parsed = table.field.parse(entry)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

/** @throws UserError on an entry of the wrong form. Entries that are there already stay once. */
export const addAccess = (session: Session, l: Listener, table: AccessTable, entries: readonly string[]): Listener => {
  const added = entries.map((entry) => reads(table, entry))
  return changeListener(session, l, { [table.key]: [...new Set([...l[table.key], ...added])] })
}

/** @throws UserError when the table has no such entry. */
export const removeAccess = (session: Session, l: Listener, table: AccessTable, entry: string): Listener => {
  const known = l[table.key].find((e) => e.toLowerCase() === entry.trim().toLowerCase())
  if (known === undefined) throw new UserError(`The ${table.title} has no entry '${printableCut(entry, 80)}'.`)
  return changeListener(session, l, { [table.key]: l[table.key].filter((e) => e !== known) })
}

export const printAccess = (l: Listener, table: AccessTable): readonly string[] => [
  ...l[table.key].map((entry) => `${entry.padEnd(30)} ${table.key === 'acceptDomains' ? 'ACCEPT' : 'RELAY'}`),
  `${'ALL'.padEnd(30)} ${table.key === 'acceptDomains' ? 'REJECT' : 'ACCEPT'}`,
]
