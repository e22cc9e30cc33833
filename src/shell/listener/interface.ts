import { interfaces } from '../../config/sections/interfaces.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { isIP } from 'node:net'
import { UserError } from '../../core/errors.ts'
import { integer } from '../../core/schema.ts'
import { printableCut } from '../../core/text.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener, ipAddress, listenerName } from '../listeners.ts'
import { readForm, readValue } from '../options.ts'

/* On what a listener listens: an interface of interfaceconfig, or an address of its own. */

export const INTERFACE_USAGE = 'listenerconfig edit NAME interface INTERFACE|ADDRESS [PORT] [--interface=NAME]'
export const port = integer(0, 65_535)
/** The name that the logs give an address without an interface. */
export const UNNAMED = 'Data 1'

type Place = Pick<Listener, 'interfaceName' | 'address'>

/** An interface or an address, as a batch form has it. `label` is the name of an address in the logs. */
export const placeOf = ({ draft }: Session, text: string, label: string): Place => {
  // What looks like an address is one that is wrong, not a name.
  if (isIP(text) !== 0 || /^[\d.]+$/.test(text) || text.includes(':'))
    return { interfaceName: label, address: readValue(ipAddress, text) }
  const known = draft.get(interfaces).interfaces.find((i) => i.name === text)
  if (!known)
    throw new UserError(
      `There is no interface '${printableCut(text, 64)}': give one of interfaceconfig, or an IP address.`,
    )
  return { interfaceName: known.name, address: null }
}

/** Asks for an interface where there are some, else for an address and its name. */
export const askPlace = async ({ ask, draft }: Session, now: Place, nameQuestion: string): Promise<Place> => {
  const names = draft.get(interfaces).interfaces.map((i) => i.name)
  if (names.length > 0) {
    const other = 'An address of its own'
    const all = [...names, other]
    const at = now.address === null ? names.indexOf(now.interfaceName) : names.length
    const chosen = await ask.pick('Choose the IP interface for this listener.', all, (n) => n, Math.max(0, at))
    if (chosen !== other) return { interfaceName: chosen, address: null }
  }
  const interfaceName = await ask.field(nameQuestion, listenerName, now.interfaceName)
  const address = await ask.field('Enter the IP address on which it listens.', ipAddress, now.address ?? '127.0.0.1')
  return { interfaceName, address }
}

/** `listenerconfig edit NAME interface …` */
export const interfaceForm = (session: Session, name: string, args: readonly string[]): void => {
  const { words, options } = readForm(INTERFACE_USAGE, args, { min: 1, max: 2, values: ['interface'] })
  const l = findListener(session, name)
  const [where = '', number] = words
  const label = readValue(listenerName, options['interface'] ?? l.interfaceName)
  changeListener(session, l, {
    ...placeOf(session, where, label),
    ...(number === undefined ? {} : { port: readValue(port, number) }),
  })
}
