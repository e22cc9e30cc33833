import { BEHAVIOURS } from '../../config/sections/host-access.ts'
import type { HostAccess } from '../../config/sections/host-access.ts'
import { readConfigurationFile } from '../../config/files.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { UserError } from '../../core/errors.ts'
import { list, oneOf } from '../../core/schema.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener } from '../listeners.ts'
import { misused, readForm, readValue } from '../options.ts'
import {
  accessName,
  addGroup,
  addHosts,
  addPolicy,
  changeGroup,
  changePolicy,
  clearHostAccess,
  findGroup,
  findPolicy,
  hostEntry,
  moveGroup,
  moveHost,
  policyReference,
  removeGroup,
  removeHost,
  removePolicy,
} from './hat-edit.ts'
import { printGroup, printHostAccess, readHostAccess } from './hat-text.ts'
import type { LineError } from './hat-text.ts'
import { PARAMETERS } from './parameters.ts'
import { writeExport } from '../files.ts'

export const HOSTACCESS_USAGE =
  'listenerconfig edit NAME hostaccess new|edit|delete sendergroup|policy ... | move GROUP BEFORE | default OPTIONS | print | import FILE | export FILE | clear'

const MORE_ERRORS = 20

/** Prints every finding of an import with its line. @throws UserError: nothing was taken over. */
export const refuseImport = (session: Session, file: string, errors: readonly LineError[]): never => {
  for (const { line, message } of errors.slice(0, MORE_ERRORS)) session.print(`${file}, line ${line}: ${message}`)
  if (errors.length > MORE_ERRORS) session.print(`and ${errors.length - MORE_ERRORS} more.`)
  throw new UserError('Nothing was imported. Correct the file and try again.')
}

export const importHostAccess = async (session: Session, l: Listener, file: string): Promise<void> => {
  const result = readHostAccess(await readConfigurationFile(session.appliance.home, file))
  if (!result.ok) return refuseImport(session, file, result.errors)
  changeListener(session, l, { hostAccess: result.table })
  const { policies, groups } = result.table
  session.print(`Imported: ${policies.length} policies, ${groups.length} sender groups.`, '')
}

export const exportHostAccess = async (session: Session, l: Listener, file: string): Promise<void> => {
  await writeExport(session, file, printHostAccess(l.hostAccess))
  session.print(`The Host Access Table was exported to ${file}.`, '')
}

type Options = Readonly<Record<string, string | undefined>>

/** `--max_size=10M`; `default` takes the listener's own value. */
const policyOptions = (options: Options): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    PARAMETERS.flatMap(({ key, option, field }) => {
      const text = options[option]
      if (text === undefined) return []
      return [[key, text.toLowerCase() === 'default' ? null : readValue(field, text)]]
    }),
  )

const behaviour = oneOf(BEHAVIOURS)

interface Call {
  readonly session: Session
  readonly listener: Listener
  readonly table: HostAccess
  readonly words: readonly string[]
  readonly options: Options
}

const need = (call: Call, min: number, max: number, usage: string): readonly string[] => {
  if (call.words.length < min || call.words.length > max)
    throw misused('There are too many or too few words.', `listenerconfig edit NAME hostaccess ${usage}`)
  return call.words
}

const newOne = (call: Call): HostAccess => {
  const { table, options } = call
  if (call.words[0]?.toLowerCase() === 'policy') {
    const [, name = '', how = ''] = need(call, 3, 3, 'new policy NAME BEHAVIOUR [--option=value ...]')
    return addPolicy(table, readValue(accessName, name), readValue(behaviour, how), policyOptions(options))
  }
  const [what = '', name = '', hosts = '', policy = ''] = need(
    call,
    4,
    4,
    'new sendergroup NAME HOST[,HOST...] POLICY [--comment=TEXT]',
  )
  readValue(oneOf(['sendergroup', 'policy']), what)
  return addGroup(table, {
    name: readValue(accessName, name),
    hosts: [...readValue(list(hostEntry), hosts)],
    policy: readValue(policyReference(table), policy),
    comment: (options['comment'] ?? '').slice(0, 255),
  })
}

const editGroup = (call: Call): HostAccess | readonly string[] => {
  const { table } = call
  const usage =
    'edit sendergroup NAME new HOST[,HOST...] | delete HOST | move HOST BEFORE | policy POLICY | rename NAME | print'
  const [, name = '', verb = '', first = '', second = ''] = need(call, 3, 5, usage)
  const group = findGroup(table, name)
  const operation = readValue(oneOf(['new', 'delete', 'move', 'policy', 'rename', 'print'] as const), verb)
  const expected = { new: 4, delete: 4, move: 5, policy: 4, rename: 4, print: 3 }[operation]
  need(call, expected, expected, usage)
  switch (operation) {
    case 'new':
      return addHosts(table, group, readValue(list(hostEntry), first))
    case 'delete':
      return first.split(',').reduce((now, host) => removeHost(now, findGroup(now, name), host), table)
    case 'move':
      return moveHost(table, group, first, second)
    case 'policy': {
      const comment = call.options['comment']
      const change = { policy: readValue(policyReference(table), first) }
      return changeGroup(table, group, comment === undefined ? change : { ...change, comment })
    }
    case 'rename':
      return changeGroup(table, group, { name: readValue(accessName, first) })
    case 'print':
      return printGroup(group)
  }
}

const editOne = (call: Call): HostAccess | readonly string[] => {
  if (call.words[0]?.toLowerCase() !== 'policy') {
    readValue(oneOf(['sendergroup', 'policy']), call.words[0] ?? '')
    return editGroup(call)
  }
  const [, name = '', how = ''] = need(call, 3, 3, 'edit policy NAME BEHAVIOUR [--option=value ...]')
  const change = { ...policyOptions(call.options), behaviour: readValue(behaviour, how) }
  return changePolicy(call.table, findPolicy(call.table, name), change)
}

const deleteOne = (call: Call): HostAccess => {
  const [what = '', name = ''] = need(call, 2, 2, 'delete sendergroup|policy NAME')
  return readValue(oneOf(['sendergroup', 'policy']), what) === 'policy'
    ? removePolicy(call.table, findPolicy(call.table, name))
    : removeGroup(call.table, findGroup(call.table, name))
}

const setDefaults = (call: Call): void => {
  need(call, 0, 0, 'default --option=value ...')
  const change = policyOptions(call.options)
  if (Object.keys(change).length === 0 || Object.values(change).includes(null))
    throw new UserError(`Give the defaults to set: ${PARAMETERS.map((p) => `--${p.option}=`).join(' ')}`)
  changeListener(call.session, call.listener, change)
}

/** What follows `listenerconfig edit NAME hostaccess`. */
export const hostAccessForm = async (session: Session, name: string, args: readonly string[]): Promise<void> => {
  const values = [...PARAMETERS.map((p) => p.option), 'comment']
  const { words: all, options } = readForm(HOSTACCESS_USAGE, args, { min: 1, max: 8, values })
  const [verb = '', ...words] = all
  const listener = findListener(session, name)
  const table = listener.hostAccess
  const call: Call = { session, listener, table, words, options }
  const store = (next: HostAccess): void => void changeListener(session, listener, { hostAccess: next })
  switch (readValue(oneOf(['new', 'edit', 'delete', 'move', 'default', 'print', 'import', 'export', 'clear']), verb)) {
    case 'new':
      return store(newOne(call))
    case 'edit': {
      const result = editOne(call)
      return 'groups' in result ? store(result) : await session.page(result)
    }
    case 'delete':
      return store(deleteOne(call))
    case 'move': {
      const [group = '', target = ''] = need(call, 2, 2, 'move GROUP BEFORE')
      return store(moveGroup(table, findGroup(table, group), findGroup(table, target)))
    }
    case 'default':
      return setDefaults(call)
    case 'print':
      need(call, 0, 0, 'print')
      return await session.page(printHostAccess(table))
    case 'import':
      return await importHostAccess(session, listener, need(call, 1, 1, 'import FILE')[0] ?? '')
    case 'export':
      return await exportHostAccess(session, listener, need(call, 1, 1, 'export FILE')[0] ?? '')
    case 'clear':
      need(call, 0, 0, 'clear')
      return store(clearHostAccess(table))
  }
}
