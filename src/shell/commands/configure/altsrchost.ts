import { isIP } from 'node:net'
import { alternateSources } from '../../../config/sections/alternate-sources.ts'
import type { AlternateSource } from '../../../config/sections/alternate-sources.ts'
import { interfaces, isSource } from '../../../config/sections/interfaces.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { emailAddress } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

/** `user@example.com`, `@example.com`, `192.0.2.1`. */
const match: Field<string> = {
  parse: (text) => {
    const t = text.trim().toLowerCase()
    return isIP(t) !== 0 || emailAddress.parse(t).ok || (t.startsWith('@') && emailAddress.parse(`x${t}`).ok)
      ? ok(t)
      : fail(
          'The value must be an address, @domain or a client IP address. (Ex: joe@example.com, @example.com, 10.1.1.1)',
        )
  },
  format: (text) => text,
}

/** Where mail can leave from. */
const source = ({ draft }: Session): Field<string> => ({
  parse: (text) =>
    isSource(draft.get(interfaces), text.trim())
      ? ok(text.trim())
      : fail(
          'The value must be an IP address of this machine, or an interface or a group of interfaceconfig. (Ex: 192.0.2.25)',
        ),
  format: (text) => text,
})

const MATCH_QUESTION = `Enter the Envelope From address or client IP address for which you want to set up a Virtual Gateway mapping.
Partial addresses such as "@example.com" are allowed.`
const addressQuestion = (name: string): string =>
  `Which interface or address of this machine do you want to send messages for ${name} from?`

const all = ({ draft }: Session): readonly AlternateSource[] => draft.get(alternateSources)
const label = ({ match: name, address: from }: AlternateSource): string => `${name} -> ${from}`

const store = (session: Session, entry: AlternateSource): void => {
  const known = all(session).some((m) => m.match === entry.match)
  session.draft.set(
    alternateSources,
    known ? all(session).map((m) => (m.match === entry.match ? entry : m)) : [...all(session), entry],
  )
}

const add = (session: Session, entry: AlternateSource): void => {
  if (all(session).some((m) => m.match === entry.match))
    throw new UserError(`There is a mapping for ${printableCut(entry.match, 100)} already.`)
  store(session, entry)
  session.print(
    `Mapping for ${entry.match} on ${isIP(entry.address) === 0 ? 'interface' : 'address'} ${entry.address} created.`,
  )
}

const remove = (session: Session, name: string): void => {
  const entry = all(session).find((m) => m.match === name.toLowerCase())
  if (!entry) throw new UserError(`There is no mapping for ${printableCut(name, 100)}.`)
  session.draft.set(
    alternateSources,
    all(session).filter((m) => m !== entry),
  )
  session.print(`Mapping for ${entry.match} removed.`)
}

const clear = (session: Session): void => {
  session.draft.set(alternateSources, [])
  session.print('All mappings removed.')
}

const overview = (session: Session): readonly string[] =>
  all(session).length === 0
    ? ['There are currently no mappings configured.']
    : ['Currently configured mappings:', ...all(session).map((m, i) => `${i + 1}. ${label(m)}`)]

const OPERATIONS = {
  NEW: 'Create a new mapping.',
  EDIT: 'Modify a mapping.',
  DELETE: 'Remove a mapping.',
  CLEAR: 'Remove all mappings.',
} as const

const operate = async (session: Session, operation: keyof typeof OPERATIONS): Promise<void> => {
  const { ask } = session
  const pick = (question: string) => ask.pick(question, all(session), label)
  if (operation === 'NEW') {
    const name = await ask.field(MATCH_QUESTION, match)
    add(session, { match: name, address: await ask.field(addressQuestion(name), source(session)) })
  } else if (operation === 'EDIT') {
    const old = await pick('Choose the mapping to edit:')
    store(session, { ...old, address: await ask.field(addressQuestion(old.match), source(session), old.address) })
  } else if (operation === 'DELETE') remove(session, (await pick('Choose the mapping to remove:')).match)
  else if (await ask.confirm('Are you sure you want to remove all mappings?', false)) clear(session)
}

const USAGE = {
  new: 'altsrchost new MATCH INTERFACE|GROUP|ADDRESS',
  delete: 'altsrchost delete MATCH',
  print: 'altsrchost print',
  clear: 'altsrchost clear',
} as const

const form = (word: keyof typeof USAGE, count: number, run: (session: Session, words: readonly string[]) => void) =>
  wordForm(USAGE[word], [word], count, run)

export default defineCommand({
  name: 'altsrchost',
  summary: 'Configure Virtual Gateway(tm) mappings',
  description:
    'Sends the mail of some senders or clients from an interface or an address of its own; over the interfaces of a group it is spread.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      for (const line of overview(session)) session.print(line)
      const { NEW, ...rest } = OPERATIONS
      const operation = await session.ask.choose(all(session).length === 0 ? { NEW } : { NEW, ...rest })
      if (operation === null) return
      await operate(session, operation)
      session.print('')
    }
  },
  forms: [
    form('new', 2, (session, [name = '', from = '']) =>
      add(session, { match: readValue(match, name), address: readValue(source(session), from) }),
    ),
    form('delete', 1, (session, [name = '']) => remove(session, name)),
    form('print', 0, (session) => {
      for (const line of overview(session)) session.print(line)
    }),
    form('clear', 0, clear),
  ],
})
