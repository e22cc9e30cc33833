import { BEHAVIOURS } from '../../config/sections/host-access.ts'
import type { HostAccess, MailFlowPolicy, SenderGroup } from '../../config/sections/host-access.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { ok } from '../../core/result.ts'
import { list, text } from '../../core/schema.ts'
import type { Field } from '../../core/schema.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener } from '../listeners.ts'
import {
  accessName,
  addGroup,
  addHosts,
  addPolicy,
  changeGroup,
  changePolicy,
  clearHostAccess,
  hostEntry,
  moveGroup,
  moveHost,
  removeGroup,
  removeHost,
  removePolicy,
} from './hat-edit.ts'
import { exportHostAccess, importHostAccess } from './hat-form.ts'
import { printGroup, printHostAccess } from './hat-text.ts'
import { PARAMETERS } from './parameters.ts'

const HOSTS = `Enter the hosts to add. Separate multiple hosts with commas.
CIDR addresses such as 10.1.1.0/24 are allowed. IP address ranges such as 10.1.1.10-20 are allowed.
IP subnets such as 10.2.3. are allowed. Hostnames such as crm.example.com are allowed.
Partial hostnames such as .example.com are allowed.
Ranges of reputation scores such as SBRS[7.5:10.0] are allowed, and SBRS[none].
Remote blacklist queries such as dnslist[query.blacklist.example] are allowed.
Countries such as geo[DE] or geo[Germany] are allowed.`

const comment: Field<string> = text({ required: false, max: 255 })
const fileName = text({ max: 200 })
const LABELS = {
  ACCEPT: 'Accept',
  REJECT: 'Reject',
  RELAY: 'Relay',
  TCPREFUSE: 'TCP Refuse',
  CONTINUE: 'Continue',
} as const
const BARE = ['ACCEPT', 'RELAY', 'REJECT', 'TCPREFUSE', 'CONTINUE'] as const
const plural = (n: number, one: string, many: string): string =>
  n === 1 ? `There is currently 1 ${one} defined.` : `There are currently ${n} ${many} defined.`

/** The head of HOSTACCESS: the default parameters, then how much the table holds. */
export const hostAccessHead = (l: Listener): readonly string[] => [
  'Default Policy Parameters',
  '==========================',
  ...PARAMETERS.map(({ key, label, show }) => `${label}: ${show(l[key])}`),
  '',
  plural(l.hostAccess.policies.length, 'policy', 'policies'),
  plural(l.hostAccess.groups.length, 'sender group', 'sender groups').replace(' defined', ''),
]

const askPolicyReference = async ({ ask }: Session, table: HostAccess, initial?: string): Promise<string> => {
  const all = [...BARE, ...table.policies.map((p) => `$${p.name}`)]
  const label = (r: string): string => (r.startsWith('$') ? `Policy: ${r.slice(1)}` : LABELS[r as keyof typeof LABELS])
  const at = initial === undefined ? undefined : Math.max(0, all.indexOf(initial))
  return await ask.pick('Select a behavior for this entry.', all, label, at)
}

const orDefault = (field: Field<string | number | boolean>): Field<string | number | boolean | null> => ({
  parse: (typed) => (typed.trim().toLowerCase() === 'default' ? ok(null) : field.parse(typed)),
  format: (value) => (value === null ? 'default' : field.format(value)),
})

const askPolicy = async ({ ask }: Session, policy?: MailFlowPolicy) => {
  const at = policy === undefined ? 0 : BEHAVIOURS.indexOf(policy.behaviour)
  const behaviour = await ask.pick('Select a behavior for this policy.', BEHAVIOURS, (b) => LABELS[b], at)
  const change: Record<string, unknown> = {}
  if (await ask.confirm('Would you like to change the parameters of this policy?', false)) {
    for (const { key, label, field } of PARAMETERS)
      change[key] = await ask.field(
        `${label} ("default" takes the default parameter):`,
        orDefault(field),
        policy?.[key] ?? null,
      )
  }
  return { behaviour, change }
}

const create = async (session: Session, table: HostAccess): Promise<HostAccess> => {
  const { ask } = session
  const kind = await ask.pick('What would you like to create?', ['group', 'policy'] as const, (k) =>
    k === 'group' ? 'New Sender Group' : 'New Policy',
  )
  if (kind === 'policy') {
    const name = await ask.field('Enter a name for this policy.', accessName)
    const { behaviour, change } = await askPolicy(session)
    return addPolicy(table, name, behaviour, change)
  }
  const name = await ask.field('Enter a name for this sender group.', accessName)
  const hosts = await ask.field(HOSTS, list(hostEntry))
  const policy = await askPolicyReference(session, table)
  const words = (await ask.optional('Enter a comment for this sender group.', comment)) ?? ''
  return addGroup(table, { name, hosts: [...hosts], policy, comment: words })
}

const GROUP_OPERATIONS = {
  NEW: 'Add a new host.',
  DELETE: 'Remove a host.',
  MOVE: 'Reorder the hosts.',
  POLICY: 'Change the policy settings and options.',
  PRINT: 'Display the current definition.',
  RENAME: 'Rename this sender group.',
} as const

const editGroup = async (session: Session, name: string, chosen: string): Promise<void> => {
  const { ask } = session
  let current = chosen
  for (;;) {
    const l = findListener(session, name)
    const table = l.hostAccess
    const group = table.groups.find((g) => g.name === current) as SenderGroup
    const store = (next: HostAccess): void => void changeListener(session, l, { hostAccess: next })
    const { NEW, POLICY, PRINT, RENAME } = GROUP_OPERATIONS
    const operation = await ask.choose(group.hosts.length === 0 ? { NEW, POLICY, PRINT, RENAME } : GROUP_OPERATIONS)
    const pick = (question: string): Promise<string> => ask.pick(question, group.hosts, (h) => h)
    switch (operation) {
      case null:
        return
      case 'NEW':
        store(addHosts(table, group, await ask.field(HOSTS, list(hostEntry))))
        break
      case 'DELETE':
        store(removeHost(table, group, await pick('Choose the host to remove.')))
        break
      case 'MOVE': {
        const host = await pick('Choose the host to move.')
        store(moveHost(table, group, host, await pick('Choose the host before which it shall stand.')))
        break
      }
      case 'POLICY': {
        const policy = await askPolicyReference(session, table, group.policy)
        const words = await ask.field('Enter a comment for this sender group.', comment, group.comment)
        store(changeGroup(table, group, { policy, comment: words }))
        break
      }
      case 'PRINT':
        session.print(...printGroup(group), '')
        break
      case 'RENAME':
        current = await ask.field('Enter the new name of the sender group.', accessName, group.name)
        store(changeGroup(table, group, { name: current }))
    }
  }
}

const edit = async (session: Session, l: Listener): Promise<void> => {
  const { ask } = session
  const { groups, policies } = l.hostAccess
  const kinds = [...(groups.length > 0 ? ['group'] : []), ...(policies.length > 0 ? ['policy'] : [])]
  const kind = await ask.pick('What would you like to edit?', kinds, (k) =>
    k === 'group' ? 'Edit Sender Group' : 'Edit Policy',
  )
  if (kind === 'group') {
    const group = await ask.pick('Choose the sender group.', groups, (g) => g.name)
    return await editGroup(session, l.name, group.name)
  }
  const policy = await ask.pick('Choose the policy.', policies, (p) => p.name)
  const { behaviour, change } = await askPolicy(session, policy)
  changeListener(session, l, { hostAccess: changePolicy(l.hostAccess, policy, { ...change, behaviour }) })
}

const remove = async ({ ask }: Session, table: HostAccess): Promise<HostAccess> => {
  const items = [
    ...table.groups.map((group) => ({ label: `Sender Group: ${group.name}`, next: () => removeGroup(table, group) })),
    ...table.policies.map((policy) => ({ label: `Policy: ${policy.name}`, next: () => removePolicy(table, policy) })),
  ]
  return (await ask.pick('Choose the entry to remove.', items, (i) => i.label)).next()
}

const move = async ({ ask }: Session, table: HostAccess): Promise<HostAccess> => {
  const group = await ask.pick('Choose the sender group to move.', table.groups, (g) => g.name)
  const target = await ask.pick('Choose the sender group before which it shall stand.', table.groups, (g) => g.name)
  return moveGroup(table, group, target)
}

const OPERATIONS = {
  NEW: 'Create a new entry.',
  EDIT: 'Modify an entry.',
  DELETE: 'Remove an entry.',
  MOVE: 'Move an entry.',
  DEFAULT: 'Set the defaults.',
  PRINT: 'Display the table.',
  IMPORT: 'Import a table from a file.',
  EXPORT: 'Export the table to a file.',
  CLEAR: 'Remove all entries.',
} as const

/** `listenerconfig > EDIT > HOSTACCESS`. */
export const hostAccessDialogue = async (session: Session, name: string): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    const l = findListener(session, name)
    const table = l.hostAccess
    print(...hostAccessHead(l))
    const { NEW, DEFAULT, PRINT, IMPORT, EXPORT } = OPERATIONS
    const empty = table.groups.length === 0 && table.policies.length === 0
    const operation = await ask.choose(empty ? { NEW, DEFAULT, PRINT, IMPORT, EXPORT } : OPERATIONS)
    const store = (next: Partial<Listener>): void => void changeListener(session, l, next)
    switch (operation) {
      case null:
        return
      case 'NEW':
        store({ hostAccess: await create(session, table) })
        break
      case 'EDIT':
        await edit(session, l)
        break
      case 'DELETE':
        store({ hostAccess: await remove(session, table) })
        break
      case 'MOVE':
        store({ hostAccess: await move(session, table) })
        break
      case 'DEFAULT': {
        const change: Record<string, unknown> = {}
        for (const { key, label, field } of PARAMETERS) change[key] = await ask.field(`${label}:`, field, l[key])
        store(change)
        break
      }
      case 'PRINT':
        await session.page(printHostAccess(table))
        print('')
        break
      case 'IMPORT':
        await importHostAccess(session, l, await ask.field('Enter the name of the file to import:', fileName))
        break
      case 'EXPORT':
        await exportHostAccess(session, l, await ask.field('Enter a name for the exported file:', fileName))
        break
      case 'CLEAR':
        if (await ask.confirm('Are you sure you want to remove all sender groups?', false))
          store({ hostAccess: clearHostAccess(table) })
    }
  }
}
