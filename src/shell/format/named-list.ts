import type { ConfigSection } from '../../config/section.ts'
import { UserError } from '../../core/errors.ts'
import { fail, ok } from '../../core/result.ts'
import type { Field } from '../../core/schema.ts'
import { printable, printableCut } from '../../core/text.ts'
import type { Session } from '../command.ts'

interface Named {
  readonly name: string
}

export interface NamedList<T extends Named> {
  all(session: Session): readonly T[]
  /** `No address lists configured.` or the names, numbered. */
  overview(session: Session): readonly string[]
  /** A name that no other item has. */
  newName(session: Session, old?: T): Field<string>
  /** @throws UserError when there is none of that name. */
  find(session: Session, name: string): T
  pick(session: Session): Promise<T>
  add(session: Session, item: T): void
  replace(session: Session, old: T, item: T): void
  remove(session: Session, item: T): void
}

/** Edits of a section that is a list of named things, as the `…listconfig` commands make them. */
export const namedList = <T extends Named>(section: ConfigSection<T[]>, noun: string): NamedList<T> => {
  const all = ({ draft }: Session): readonly T[] => draft.get(section)
  return {
    all,
    overview: (session) => {
      const items = all(session)
      if (items.length === 0) return [`No ${noun}s configured.`]
      return [`Configured ${noun}s:`, ...items.map((item, i) => `${i + 1}. ${printable(item.name)}`)]
    },
    newName: (session, old) => ({
      parse: (answer) => {
        const name = answer.trim()
        if (name === '') return fail('A value is required.')
        if (name.length > 255) return fail('The value must have at most 255 characters.')
        const taken = all(session).some((item) => item.name === name && item.name !== old?.name)
        return taken ? fail(`The ${noun} '${printableCut(name, 100)}' exists already.`) : ok(name)
      },
      format: (name) => name,
    }),
    find: (session, name) => {
      const found = all(session).find((item) => item.name === name)
      if (found) return found
      const names = all(session).map((item) => printable(item.name))
      const known = names.length === 0 ? `There are no ${noun}s.` : `There are: ${names.join(', ')}.`
      throw new UserError(`There is no ${noun} '${printableCut(name, 100)}'. ${known}`)
    },
    pick: (session) => session.ask.pick(`Choose the ${noun}:`, all(session), (item) => printable(item.name), 0),
    add: (session, item) => session.draft.set(section, [...all(session), item]),
    replace: (session, old, item) =>
      session.draft.set(
        section,
        all(session).map((i) => (i.name === old.name ? item : i)),
      ),
    remove: (session, item) =>
      session.draft.set(
        section,
        all(session).filter((i) => i.name !== item.name),
      ),
  }
}
