import { isIP } from 'node:net'
import { defaultHostAccess } from '../config/sections/host-access.ts'
import { addressOn, interfaces } from '../config/sections/interfaces.ts'
import { defaultListener, listeners } from '../config/sections/listeners.ts'
import type { Listener } from '../config/sections/listeners.ts'
import { UserError } from '../core/errors.ts'
import { fail, ok } from '../core/result.ts'
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
  const listener: Listener = {
    ...defaultListener,
    recipientAccess: [],
    hostAccess: defaultHostAccess(given.type),
    ...given,
  }
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
  const settings = session.draft.get(interfaces)
  const address = addressOn(listener, settings)
  const clash = others.find((l) => l.port !== 0 && addressOn(l, settings) === address && l.port === listener.port)
  if (clash !== undefined)
    throw new UserError(`The listener '${clash.name}' uses ${address} port ${listener.port} already.`)
}
