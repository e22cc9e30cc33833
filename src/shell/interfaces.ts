import { alternateSources } from '../config/sections/alternate-sources.ts'
import { interfaces } from '../config/sections/interfaces.ts'
import type { InterfaceGroup, Interfaces, IpInterface } from '../config/sections/interfaces.ts'
import { listeners } from '../config/sections/listeners.ts'
import { UserError } from '../core/errors.ts'
import { printableCut } from '../core/text.ts'
import type { Session } from './command.ts'

/* Edits of interfaceconfig, apart from its dialogue: what uses an interface follows its name and is not left without it. */

export const settingsOf = ({ draft }: Session): Interfaces => draft.get(interfaces)

const store = (session: Session, change: Partial<Interfaces>): void =>
  session.draft.set(interfaces, { ...settingsOf(session), ...change })

/** By name, or by number of the list. @throws UserError when there is none. */
export const findInterface = (session: Session, text: string): IpInterface => {
  const all = settingsOf(session).interfaces
  const found = all.find((i) => i.name === text) ?? (/^\d+$/.test(text) ? all[Number(text) - 1] : undefined)
  if (!found) throw new UserError(`There is no interface '${printableCut(text, 64)}'.`)
  return found
}

/** @throws UserError when there is none. */
export const findInterfaceGroup = (session: Session, name: string): InterfaceGroup => {
  const found = settingsOf(session).groups.find((g) => g.name === name)
  if (!found) throw new UserError(`There is no interface group '${printableCut(name, 64)}'.`)
  return found
}

const assertFree = (session: Session, name: string, self?: string): void => {
  const { interfaces: all, groups } = settingsOf(session)
  if (name !== self && [...all, ...groups].some((i) => i.name === name))
    throw new UserError(`There is an interface or a group '${name}' already.`)
}

/** Who would be without it. */
const usersOf = ({ draft }: Session, name: string): readonly string[] => [
  ...draft
    .get(listeners)
    .flatMap((l) => (l.address === null && l.interfaceName === name ? [`listener ${l.name}`] : [])),
  ...draft.get(alternateSources).flatMap((m) => (m.address === name ? [`the altsrchost mapping for ${m.match}`] : [])),
  ...draft
    .get(interfaces)
    .groups.flatMap((g) => (g.interfaces.includes(name) ? [`the interface group ${g.name}`] : [])),
  ...(draft.get(interfaces).delivery === name ? ['deliveryconfig'] : []),
]

const assertUnused = (session: Session, name: string): void => {
  const users = usersOf(session, name)
  if (users.length > 0) throw new UserError(`${name} is in use by ${users.join(', ')}. Change that first.`)
}

/** Everything that bore the old name bears the new one. */
const follow = (session: Session, from: string, to: string): void => {
  if (from === to) return
  const { draft } = session
  const named = (name: string): string => (name === from ? to : name)
  if (usersOf(session, from).length === 0) return
  draft.set(
    listeners,
    draft.get(listeners).map((l) => (l.address === null ? { ...l, interfaceName: named(l.interfaceName) } : l)),
  )
  draft.set(
    alternateSources,
    draft.get(alternateSources).map((m) => ({ ...m, address: named(m.address) })),
  )
  const { groups, delivery } = settingsOf(session)
  store(session, {
    groups: groups.map((g) => ({ ...g, interfaces: g.interfaces.map(named) })),
    delivery: named(delivery),
  })
}

/**
 * Listeners that bear its name and have its address as their own are on it from now on; who they are.
 * @throws UserError when the name is taken.
 */
export const addInterface = (session: Session, made: IpInterface): readonly string[] => {
  assertFree(session, made.name)
  store(session, { interfaces: [...settingsOf(session).interfaces, made] })
  const all = session.draft.get(listeners)
  const joins = all.filter((l) => l.interfaceName === made.name && l.address === made.address)
  if (joins.length > 0)
    session.draft.set(
      listeners,
      all.map((l) => (joins.includes(l) ? { ...l, address: null } : l)),
    )
  return joins.map((l) => l.name)
}

export const changeInterface = (session: Session, old: IpInterface, change: Partial<IpInterface>): void => {
  const next = { ...old, ...change }
  assertFree(session, next.name, old.name)
  store(session, { interfaces: settingsOf(session).interfaces.map((i) => (i.name === old.name ? next : i)) })
  follow(session, old.name, next.name)
}

export const removeInterface = (session: Session, { name }: IpInterface): void => {
  assertUnused(session, name)
  store(session, { interfaces: settingsOf(session).interfaces.filter((i) => i.name !== name) })
}

/** @throws UserError when an interface does not exist, or the name is taken. */
export const putGroup = (session: Session, group: InterfaceGroup, old: InterfaceGroup | null): void => {
  assertFree(session, group.name, old?.name)
  for (const name of group.interfaces) findInterface(session, name)
  const { groups } = settingsOf(session)
  store(session, {
    groups: old === null ? [...groups, group] : groups.map((g) => (g.name === old.name ? group : g)),
  })
  if (old !== null) follow(session, old.name, group.name)
}

export const removeGroup = (session: Session, { name }: InterfaceGroup): void => {
  assertUnused(session, name)
  store(session, { groups: settingsOf(session).groups.filter((g) => g.name !== name) })
}
