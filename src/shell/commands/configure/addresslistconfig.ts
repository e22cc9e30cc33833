import { conflictingEntries, entryForms, parseEntries } from '../../../config/address-entries.ts'
import { ADDRESS_LIST_TYPES, addressLists } from '../../../config/sections/address-lists.ts'
import type { AddressList } from '../../../config/sections/address-lists.ts'
import { oneOf, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { namedList } from '../../format/named-list.ts'
import { readForm, readValue, wordForm } from '../../options.ts'

const lists = namedList(addressLists, 'address list')
const TYPE = oneOf(ADDRESS_LIST_TYPES)
const DESCRIPTION = text({ required: false })

const TYPE_LABELS: Readonly<Record<AddressList['type'], string>> = {
  emails: 'Full Email Addresses only',
  domains: 'Domains only',
  ips: 'IP Addresses only',
  all: 'All of the above',
}

const entriesOf = (type: AddressList['type']): Field<string[]> => ({
  parse: (answer) => parseEntries(type, answer),
  format: (entries) => entries.join(', '),
})

const askList = async (session: Session, old?: AddressList): Promise<AddressList> => {
  const { ask } = session
  const bare = old === undefined ? { bare: true } : {}
  const name = await ask.field('Enter a name for the address list:', lists.newName(session, old), old?.name, bare)
  const description = await ask.field('Enter a description for the address list:', DESCRIPTION, old?.description, bare)
  const first = ADDRESS_LIST_TYPES.indexOf(old?.type ?? 'all')
  const type = await ask.pick('Enter the type of list:', ADDRESS_LIST_TYPES, (t) => TYPE_LABELS[t], first)
  const question = `Enter a comma separated list of addresses:\n(e.g.: ${entryForms(type)})`
  const entries = await ask.field(question, entriesOf(type), type === old?.type ? old.entries : undefined, bare)
  return { name, description, type, entries }
}

const contents = (list: AddressList): readonly string[] => [
  `Name: ${printable(list.name)}`,
  `Description: ${printable(list.description)}`,
  `Type: ${TYPE_LABELS[list.type]}`,
  'Addresses:',
  ...list.entries.map((entry) => `  ${printable(entry)}`),
]

const conflicts = (list: AddressList): readonly string[] => {
  const found = conflictingEntries(list.entries)
  if (found.length === 0) return [`There are no conflicting entries in the address list "${printable(list.name)}".`]
  return found.map(([entry, wider]) => `${printable(entry)} is covered by ${printable(wider)}`)
}

const add = (session: Session, list: AddressList): void => {
  lists.add(session, list)
  session.print(`Address list "${printable(list.name)}" added.`)
}

const change = (session: Session, old: AddressList, list: AddressList): void => {
  lists.replace(session, old, list)
  session.print(`Address list "${printable(list.name)}" updated.`)
}

const remove = (session: Session, list: AddressList): void => {
  lists.remove(session, list)
  session.print(`Address list "${printable(list.name)}" removed.`)
}

const OPTIONS = ['name', 'descr', 'addrs', 'type']
const NEW = 'addresslistconfig new NAME --descr=TEXT --addrs=A,B [--type=emails|domains|ips|all | --addr-only]'
const EDIT = 'addresslistconfig edit NAME [--name=NEW] [--descr=TEXT] [--addrs=A,B] [--type=emails|domains|ips|all]'

/** `delete NAME`, `print NAME`, `conflict NAME`. */
const onList = (word: string, act: (session: Session, list: AddressList) => void): Form =>
  wordForm(`addresslistconfig ${word} NAME`, [word], 1, (session, [name = '']) =>
    act(session, lists.find(session, name)),
  )

export default defineCommand({
  name: 'addresslistconfig',
  summary: 'Configure address lists',
  description:
    'Address lists name senders, domains or hosts for other features; a list of the type Domains only can be the domain ' +
    'exception list of sdrconfig.',
  options: {
    '--descr=TEXT': 'what the list is for',
    '--addrs=A,B': 'its entries',
    '--type=emails|domains|ips|all': 'which entries it takes',
    '--addr-only': 'the same as --type=emails',
    '--name=NEW': 'a new name',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    {
      usage: NEW,
      words: ['new'],
      run: async (session, args) => {
        const { words, options } = readForm(NEW, args, { min: 1, max: 1, values: OPTIONS, flags: ['addr-only'] })
        const type = options['addr-only'] === undefined ? readValue(TYPE, options['type'] ?? 'all') : 'emails'
        add(session, {
          name: readValue(lists.newName(session), words[0] ?? ''),
          description: readValue(DESCRIPTION, options['descr'] ?? ''),
          type,
          entries: readValue(entriesOf(type), options['addrs'] ?? ''),
        })
      },
    },
    {
      usage: EDIT,
      words: ['edit'],
      run: async (session, args) => {
        const { words, options } = readForm(EDIT, args, { min: 1, max: 1, values: OPTIONS })
        const old = lists.find(session, words[0] ?? '')
        const type = options['type'] === undefined ? old.type : readValue(TYPE, options['type'])
        change(session, old, {
          name: readValue(lists.newName(session, old), options['name'] ?? old.name),
          description: readValue(DESCRIPTION, options['descr'] ?? old.description),
          type,
          entries: readValue(entriesOf(type), options['addrs'] ?? old.entries.join(',')),
        })
      },
    },
    onList('delete', remove),
    onList('print', (session, list) => session.print(...contents(list))),
    onList('conflict', (session, list) => session.print(...conflicts(list))),
  ],
  run: async (session) => {
    for (;;) {
      session.print(...lists.overview(session))
      const some = lists.all(session).length > 0
      const operation = await session.ask.choose({
        NEW: 'Create a new address list.',
        ...(some
          ? {
              EDIT: 'Modify an address list.',
              DELETE: 'Remove an address list.',
              PRINT: 'Display the contents of an address list.',
              CONFLICT: 'Find conflicting entries within an address list.',
            }
          : {}),
      })
      if (operation === null) return
      if (operation === 'NEW') {
        add(session, await askList(session))
        continue
      }
      const list = await lists.pick(session)
      if (operation === 'EDIT') change(session, list, await askList(session, list))
      else if (operation === 'DELETE') remove(session, list)
      else if (operation === 'PRINT') await session.page(contents(list))
      else await session.page(conflicts(list))
    }
  },
})
