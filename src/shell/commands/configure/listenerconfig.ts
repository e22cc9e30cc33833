import type { Listener } from '../../../config/sections/listeners.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { listenerDetail, listenerLine } from '../../format/listener.ts'
import {
  HOST_ACCESS,
  RECIPIENT_ACCESS,
  addAccess,
  addListener,
  allListeners,
  changeListener,
  findListener,
  ipAddress,
  listenerName,
  printAccess,
  removeAccess,
  removeListener,
} from '../../listeners.ts'
import type { AccessTable } from '../../listeners.ts'
import { readForm } from '../../options.ts'

const port = integer(0, 65_535)
const TYPES = ['public', 'private'] as const
const INTERFACE = 'Data 1'
const USAGE = {
  new: 'listenerconfig new NAME public|private ADDRESS PORT [--interface=NAME]',
  delete: 'listenerconfig delete NAME',
  print: 'listenerconfig print',
  edit: 'listenerconfig edit NAME rcptaccess|hostaccess new|delete ENTRY[,ENTRY...] | print | clear',
} as const

const read = <T>(field: Field<T>, text: string): T => {
  const parsed = field.parse(text)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

const overview = (session: Session): readonly string[] => {
  const all = allListeners(session)
  if (all.length === 0) return ['No listeners are configured.']
  return ['Currently configured listeners:', ...all.map((l, i) => `${i + 1}. ${listenerLine(l)}`)]
}

/** A name or a number of the list. */
const existing = (session: Session): Field<Listener> => ({
  parse: (text) => {
    try {
      return ok(findListener(session, text.trim()))
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  },
  format: (l) => l.name,
})

const create = async (session: Session): Promise<void> => {
  const { ask } = session
  const type = await ask.pick('Please select the type of listener you want to create.', TYPES, (t) => LABELS[t], 0)
  const name = await ask.field('Please create a name for this listener (Ex: "InboundMail"):', listenerName)
  const interfaceName = await ask.field(
    'Enter the name of the IP interface for this listener.',
    listenerName,
    INTERFACE,
  )
  const address = await ask.field('Enter the IP address on which it listens.', ipAddress, '127.0.0.1')
  const number = await ask.field('Enter the TCP port for this listener.', port, 25)
  const made = addListener(session, { name, type, interfaceName, address, port: number })
  const table = type === 'public' ? RECIPIENT_ACCESS : HOST_ACCESS
  addAccess(session, made, table, await ask.field(table.question, list(table.field)))
  session.print(`Listener ${name} created.`, '')
}

const LABELS = {
  public: 'Public: accepts mail for your domains',
  private: 'Private: relays the mail of your hosts',
} as const

const OPERATIONS = {
  NAME: 'Change the name of the listener.',
  INTERFACE: 'Change the interface.',
  LIMITS: 'Change the injection limits.',
  SETUP: 'Configure general options.',
  HOSTACCESS: 'Modify the Host Access Table.',
  RCPTACCESS: 'Modify the Recipient Access Table.',
} as const

const limits = async ({ ask }: Session, l: Listener): Promise<Partial<Listener>> => ({
  maxConcurrency: await ask.field('Max concurrent connections:', integer(1, 100_000), l.maxConcurrency),
  maxConcurrencyPerAddress: await ask.field(
    'Max concurrent connections from a single IP:',
    integer(1, 100_000),
    l.maxConcurrencyPerAddress,
  ),
  maxMessagesPerConnection: await ask.field(
    'Max messages per connection:',
    integer(1, 1_000_000),
    l.maxMessagesPerConnection,
  ),
  maxRecipients: await ask.field('Max recipients per message:', integer(1, 100_000), l.maxRecipients),
  maxMessageBytes: await ask.field('Max message size in bytes:', integer(1024, 1_073_741_824), l.maxMessageBytes),
})

const setup = async ({ ask }: Session, l: Listener): Promise<Partial<Listener>> => {
  const tls = ['off', 'preferred', 'required'] as const
  const newlines = ['reject', 'convert'] as const
  return {
    tls: await ask.pick(
      'Do you want to offer TLS to the clients?',
      tls,
      (t) => ({ off: 'No', preferred: 'Preferred', required: 'Required' })[t],
      tls.indexOf(l.tls),
    ),
    bareNewlines: await ask.pick(
      'What shall be done with messages that have bare CR or LF characters?',
      newlines,
      (n) => ({ reject: 'Reject the message', convert: 'Convert them to CRLF' })[n],
      newlines.indexOf(l.bareNewlines),
    ),
  }
}

const access = async (session: Session, name: string, table: AccessTable): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    const l = findListener(session, name)
    const entries = l[table.key]
    print(
      table.title,
      `There ${entries.length === 1 ? 'is currently 1' : `are currently ${entries.length}`} ${table.noun}${entries.length === 1 ? '' : 's'}.`,
      table.others,
    )
    const rest = { DELETE: 'Remove an entry.', PRINT: 'Display the table.', CLEAR: 'Remove all entries.' } as const
    const operation = await ask.choose({ NEW: 'Create a new entry.', ...(entries.length === 0 ? {} : rest) })
    if (operation === null) return
    if (operation === 'NEW') addAccess(session, l, table, await ask.field(table.question, list(table.field)))
    else if (operation === 'DELETE')
      removeAccess(session, l, table, await ask.pick('Choose the entry to remove:', entries, (e) => e))
    else if (operation === 'PRINT') print(...printAccess(l, table), '')
    else if (await ask.confirm('Are you sure you want to remove all entries?', false))
      changeListener(session, l, { [table.key]: [] })
  }
}

const edit = async (session: Session, chosen: Listener): Promise<void> => {
  const { ask, print } = session
  let { name } = chosen
  for (;;) {
    const l = findListener(session, name)
    print(...listenerDetail(l))
    const operation = await ask.choose(OPERATIONS)
    if (operation === null) return
    if (operation === 'NAME') {
      const next = await ask.field('Enter the new name of the listener.', listenerName, l.name)
      if (next !== l.name && allListeners(session).some((o) => o.name === next))
        throw new UserError(`There is a listener '${next}' already.`)
      name = changeListener(session, l, { name: next }).name
    } else if (operation === 'INTERFACE') {
      const interfaceName = await ask.field('Enter the name of the IP interface.', listenerName, l.interfaceName)
      const address = await ask.field('Enter the IP address on which it listens.', ipAddress, l.address)
      changeListener(session, l, { interfaceName, address, port: await ask.field('Enter the TCP port.', port, l.port) })
    } else if (operation === 'LIMITS') changeListener(session, l, await limits(session, l))
    else if (operation === 'SETUP') changeListener(session, l, await setup(session, l))
    else await access(session, name, operation === 'HOSTACCESS' ? HOST_ACCESS : RECIPIENT_ACCESS)
  }
}

/** `listenerconfig edit NAME RCPTACCESS PRINT`: words in any case, as scripts write them. */
const editForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const [name = '', what = '', verb = '', ...entries] = readForm(USAGE.edit, args, { min: 3, max: 64 }).words
  const table =
    read(oneOf(['rcptaccess', 'hostaccess'] as const), what) === 'rcptaccess' ? RECIPIENT_ACCESS : HOST_ACCESS
  const operation = read(oneOf(['new', 'delete', 'print', 'clear'] as const), verb)
  const listener = findListener(session, name)
  if ((operation === 'new' || operation === 'delete') !== entries.length > 0)
    throw new UserError(`There are too many or too few words. Usage: ${USAGE.edit}`)
  const given = entries.flatMap((e) => e.split(',')).filter((e) => e.trim() !== '')
  if (operation === 'print') await session.page(printAccess(listener, table))
  else if (operation === 'clear') changeListener(session, listener, { [table.key]: [] })
  else if (operation === 'new') addAccess(session, listener, table, given)
  else for (const entry of given) removeAccess(session, findListener(session, name), table, entry)
}

const newForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const { words, options } = readForm(USAGE.new, args, { min: 4, max: 4, values: ['interface'] })
  const [name = '', type = '', address = '', number = ''] = words
  addListener(session, {
    name: read(listenerName, name),
    type: read(oneOf(TYPES), type),
    interfaceName: read(listenerName, options['interface'] ?? INTERFACE),
    address: read(ipAddress, address),
    port: read(port, number),
  })
}

export default defineCommand({
  name: 'listenerconfig',
  summary: 'Configure mail listeners',
  description:
    'Creates, changes and removes the addresses and ports on which mail comes in, whose recipients they accept and for which hosts they relay. Running listeners follow the commit; open connections go on.',
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const rest = { EDIT: 'Modify a listener.', DELETE: 'Remove a listener.' } as const
      const some = allListeners(session).length > 0
      const operation = await session.ask.choose({ NEW: 'Create a new listener.', ...(some ? rest : {}) })
      if (operation === null) return
      if (operation === 'NEW') await create(session)
      else {
        const verb = operation === 'EDIT' ? 'edit' : 'delete'
        const question = `Enter the name or number of the listener you wish to ${verb}.`
        const listener = await session.ask.field(question, existing(session))
        if (operation === 'EDIT') await edit(session, listener)
        else removeListener(session, listener)
      }
    }
  },
  forms: [
    { usage: USAGE.new, words: ['new'], run: newForm },
    { usage: USAGE.edit, words: ['edit'], run: editForm },
    {
      usage: USAGE.delete,
      words: ['delete'],
      run: async (session, args) => {
        const [name = ''] = readForm(USAGE.delete, args, { min: 1, max: 1 }).words
        removeListener(session, findListener(session, name))
      },
    },
    {
      usage: USAGE.print,
      words: ['print'],
      run: async (session, args) => {
        readForm(USAGE.print, args, { min: 0, max: 0 })
        await session.page(overview(session))
      },
    },
  ],
})
