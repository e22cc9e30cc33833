import type { InterfaceGroup, IpInterface } from '../../../config/sections/interfaces.ts'
import { system } from '../../../config/sections/system.ts'
import { ok } from '../../../core/result.ts'
import { hostname, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import {
  addInterface,
  changeInterface,
  findInterface,
  findInterfaceGroup,
  putGroup,
  removeGroup,
  removeInterface,
  settingsOf,
} from '../../interfaces.ts'
import { ipAddress, listenerName } from '../../listeners.ts'
import { misused, readForm, readValue, wordForm } from '../../options.ts'

const NAME_QUESTION = 'IP interface name (Ex: "InternalNet"):'
const USAGE = {
  new: 'interfaceconfig new NAME ADDRESS [--hostname=HOST]',
  edit: 'interfaceconfig edit NAME [--name=NAME] [--address=ADDRESS] [--hostname=HOST|default]',
  delete: 'interfaceconfig delete NAME',
  groups:
    'interfaceconfig groups new NAME INTERFACE[,INTERFACE...] | edit NAME INTERFACE[,INTERFACE...] | delete NAME | print',
  print: 'interfaceconfig print',
} as const

const hostnameOf = (session: Session, i: IpInterface): string =>
  i.hostname === '' ? session.draft.get(system).hostname : i.hostname

/** `1. Management (192.168.42.42: mail3.example.com)` */
const overview = (session: Session): readonly string[] => {
  const { interfaces: all } = settingsOf(session)
  if (all.length === 0) return ['No interfaces are configured.']
  return [
    'Currently configured interfaces:',
    ...all.map((i, at) => `${at + 1}. ${i.name} (${i.address}: ${hostnameOf(session, i)})`),
  ]
}

const groupLines = (session: Session): readonly string[] => {
  const { groups } = settingsOf(session)
  if (groups.length === 0) return ['No interface groups are configured.']
  return [
    'Currently configured interface groups:',
    ...groups.map((g, at) => `${at + 1}. ${g.name} (${g.interfaces.join(', ')})`),
  ]
}

const details = (session: Session, i: IpInterface): readonly string[] => [
  `Name: ${i.name}`,
  `IP Address: ${i.address}`,
  `Hostname: ${hostnameOf(session, i)}`,
  `Groups: ${
    settingsOf(session)
      .groups.filter((g) => g.interfaces.includes(i.name))
      .map((g) => g.name)
      .join(', ') || 'None'
  }`,
]

/** `default` takes the appliance's. */
const ownHostname: Field<string> = {
  parse: (text) => (text.trim().toLowerCase() === 'default' ? ok('') : hostname.parse(text)),
  format: (name) => name,
}

/** The appliance's own name is not kept with the interface: it may change. */
const keptName = ({ draft }: Session, name: string): string => (name === draft.get(system).hostname ? '' : name)

const add = (session: Session, made: IpInterface): void => {
  for (const name of addInterface(session, made)) session.print(`Listener ${name} is on this interface now.`)
}

const ask = async (session: Session, old?: IpInterface): Promise<IpInterface> => {
  const name = await session.ask.field(NAME_QUESTION, listenerName, old?.name)
  const address = await session.ask.field('IP Address (Ex: 192.168.1.2 or 2001:db8::2):', ipAddress, old?.address)
  const now = old ? hostnameOf(session, old) : session.draft.get(system).hostname
  return { name, address, hostname: keptName(session, await session.ask.field('Hostname:', hostname, now)) }
}

const groupDialogue = async (session: Session): Promise<void> => {
  for (;;) {
    session.print(...groupLines(session))
    const { groups, interfaces: all } = settingsOf(session)
    const some = { EDIT: 'Modify an interface group.', DELETE: 'Remove an interface group.' } as const
    const operation = await session.ask.choose({
      NEW: 'Create a new interface group.',
      ...(groups.length > 0 ? some : {}),
    })
    if (operation === null) return
    const old = operation === 'NEW' ? null : await session.ask.pick('Choose the group:', groups, (g) => g.name)
    if (operation === 'DELETE') {
      if (old) removeGroup(session, old)
      continue
    }
    const name = await session.ask.field('Enter the name for this group:', listenerName, old?.name)
    const question = 'Enter the interfaces of this group. Separate multiple interfaces with commas.'
    const initial = old?.interfaces.map((i) => all.findIndex((known) => known.name === i))
    const members = await session.ask.pickMany(question, all, (i) => i.name, initial)
    putGroup(session, { name, interfaces: members.map((i) => i.name) }, old)
  }
}

const members = list<string>({ parse: (text) => ok(text.trim()), format: (name) => name })

const groupsForm = async (session: Session, args: readonly string[]): Promise<void> => {
  const [verb = '', name = '', names = ''] = readForm(USAGE.groups, args, { min: 1, max: 3 }).words
  const operation = readValue(oneOf(['new', 'edit', 'delete', 'print'] as const), verb)
  const expected = { new: 3, edit: 3, delete: 2, print: 1 }[operation]
  if (args.length !== expected) throw misused('There are too many or too few words.', USAGE.groups)
  if (operation === 'print') return await session.page(groupLines(session))
  if (operation === 'delete') return removeGroup(session, findInterfaceGroup(session, name))
  const old = operation === 'edit' ? findInterfaceGroup(session, name) : null
  const group: InterfaceGroup = {
    name: readValue(listenerName, name),
    interfaces: [...new Set(readValue(members, names))],
  }
  putGroup(session, group, old)
}

export default defineCommand({
  name: 'interfaceconfig',
  summary: 'Configure IP interfaces',
  description:
    "Names addresses of this machine, with the host name that is said on each. A listener on an interface binds its address and greets with its host name; mail that leaves from it (altsrchost, deliveryconfig) is sent from its address under its host name. The addresses themselves are the operating system's to set up.",
  options: {
    '--name=NAME': 'the new name; what uses the interface follows',
    '--address=ADDRESS': 'an address of this machine',
    '--hostname=HOST|default': 'what is said on it; default = the host name of the appliance',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const some = {
        EDIT: 'Modify an interface.',
        GROUPS: 'Define interface groups.',
        DELETE: 'Remove an interface.',
        DETAILS: 'Show details of an interface.',
      } as const
      const { interfaces: all } = settingsOf(session)
      const operation = await session.ask.choose({ NEW: 'Create a new interface.', ...(all.length > 0 ? some : {}) })
      if (operation === null) return
      if (operation === 'NEW') add(session, await ask(session))
      else if (operation === 'GROUPS') await groupDialogue(session)
      else {
        const chosen = await session.ask.pick('Choose the interface:', all, (i) => i.name)
        if (operation === 'EDIT') changeInterface(session, chosen, await ask(session, chosen))
        else if (operation === 'DELETE') removeInterface(session, chosen)
        else session.print(...details(session, chosen), '')
      }
    }
  },
  forms: [
    {
      usage: USAGE.new,
      words: ['new'],
      run: async (session, args) => {
        await Promise.resolve()
        const { words, options } = readForm(USAGE.new, args, { min: 2, max: 2, values: ['hostname'] })
        const [name = '', address = ''] = words
        add(session, {
          name: readValue(listenerName, name),
          address: readValue(ipAddress, address),
          hostname: options['hostname'] === undefined ? '' : readValue(ownHostname, options['hostname']),
        })
      },
    },
    {
      usage: USAGE.edit,
      words: ['edit'],
      run: async (session, args) => {
        await Promise.resolve()
        const { words, options } = readForm(USAGE.edit, args, {
          min: 1,
          max: 1,
          values: ['name', 'address', 'hostname'],
        })
        const { name, address, hostname: host } = options
        if (name === undefined && address === undefined && host === undefined)
          throw misused('A value is missing.', USAGE.edit)
        changeInterface(session, findInterface(session, words[0] ?? ''), {
          ...(name === undefined ? {} : { name: readValue(listenerName, name) }),
          ...(address === undefined ? {} : { address: readValue(ipAddress, address) }),
          ...(host === undefined ? {} : { hostname: readValue(ownHostname, host) }),
        })
      },
    },
    wordForm(USAGE.delete, ['delete'], 1, (session, [name = '']) =>
      removeInterface(session, findInterface(session, name)),
    ),
    { usage: USAGE.groups, words: ['groups'], run: groupsForm },
    wordForm(USAGE.print, ['print'], 0, (session) => session.page(overview(session))),
  ],
})
