import type { MailPolicy, PolicyTable } from '../../../config/sections/mail-policies.ts'
import { text } from '../../../core/schema.ts'
import { DEFAULT_POLICY } from '../../../mail/policy/match.ts'
import {
  checked,
  filterLines,
  findFilter,
  findPolicy,
  memberLines,
  newFilterName,
  newPolicyName,
  policyLines,
  putFilter,
  readActions,
  readCondition,
  readFilterNames,
  readMembers,
  withoutFilter,
} from '../../../mail/policy/manage.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { editContentFilters, orTell, stageTable, tableOf } from '../../format/policy-filters.ts'
import type { Direction } from '../../format/policy-filters.ts'
import { readForm } from '../../options.ts'
import type { FormWords } from '../../options.ts'

const TITLE = { incoming: 'Incoming', outgoing: 'Outgoing' } as const

const MEMBERS = [
  'A member is a full address (user@example.com), a user (user@), a domain (@example.com) or all domains below one',
  '(@.example.com).',
].join('\n')

const askMembers = async (session: Session): Promise<Pick<MailPolicy, 'senders' | 'recipients'>> => {
  const senders: string[] = []
  const recipients: string[] = []
  session.print(MEMBERS)
  do {
    const member = readMembers(await session.ask.field('Enter a member for this policy:', text()))
    const kind = await session.ask.pick('Is this entry a recipient or a sender?', ['Recipient', 'Sender'], (k) => k, 0)
    ;(kind === 'Sender' ? senders : recipients).push(...member)
  } while (await session.ask.confirm('Add another member?', false))
  return { senders, recipients }
}

const askFilters = async (session: Session, table: PolicyTable, present: readonly string[]): Promise<string[]> => {
  if (table.contentFilters.length === 0) return []
  const question = `Enter the content filters of this policy, separated by commas, or "none" (${table.contentFilters.map((f) => f.name).join(', ')}):`
  const answer = await session.ask.field(question, text(), present.length === 0 ? 'none' : present.join(','))
  return answer.trim().toLowerCase() === 'none' ? [] : readFilterNames(table, answer)
}

const replacePolicy = (table: PolicyTable, old: MailPolicy, policy: MailPolicy): PolicyTable => ({
  ...table,
  policies: table.policies.map((p) => (p === old ? policy : p)),
})

const askNew = async (session: Session, direction: Direction): Promise<void> => {
  const table = tableOf(session, direction)
  const name = newPolicyName(table, await session.ask.field('Enter the name for this policy:', text()))
  const members = await askMembers(session)
  const contentFilters = await askFilters(session, table, table.defaultContentFilters)
  stageTable(session, direction, { ...table, policies: [...table.policies, { name, ...members, contentFilters }] })
  session.print(`Added policy ${name}.`)
}

const askEdit = async (session: Session, direction: Direction): Promise<void> => {
  const table = tableOf(session, direction)
  const answer = await session.ask.field('Name or number of policy to edit:', text(), DEFAULT_POLICY)
  if (answer.trim() === DEFAULT_POLICY) {
    const defaultContentFilters = await askFilters(session, table, table.defaultContentFilters)
    return stageTable(session, direction, { ...table, defaultContentFilters })
  }
  const policy = findPolicy(table, answer)
  session.print(...memberLines(policy))
  const operation = await session.ask.choose({
    NAME: 'Change name of policy',
    MEMBERS: 'Replace the members',
    FILTERS: 'Modify content filters',
  })
  if (operation === null) return
  if (operation === 'NAME') {
    const name = newPolicyName(table, await session.ask.field('Enter the name for this policy:', text()), policy.name)
    return stageTable(session, direction, replacePolicy(table, policy, { ...policy, name }))
  }
  const changed: MailPolicy =
    operation === 'MEMBERS'
      ? { ...policy, ...(await askMembers(session)) }
      : { ...policy, contentFilters: await askFilters(session, table, policy.contentFilters) }
  stageTable(session, direction, replacePolicy(table, policy, changed))
}

const removePolicy = (session: Session, direction: Direction, name: string): void => {
  const table = tableOf(session, direction)
  const policy = findPolicy(table, name)
  stageTable(session, direction, { ...table, policies: table.policies.filter((p) => p !== policy) })
  session.print(`Deleted policy ${policy.name}.`)
}

const print = (session: Session, direction: Direction): Promise<void> => {
  const table = tableOf(session, direction)
  return session.page([
    ...policyLines(TITLE[direction], table),
    ...table.policies.flatMap((p) => ['', ...memberLines(p)]),
  ])
}

const dialogue = async (session: Session, direction: Direction): Promise<void> => {
  for (;;) {
    const table = tableOf(session, direction)
    session.print(...policyLines(TITLE[direction], table))
    const operation = await session.ask.choose({
      NEW: 'Create a new policy',
      EDIT: 'Edit an existing policy',
      ...(table.policies.length === 0 ? {} : { DELETE: 'Delete an existing policy' }),
      PRINT: 'Print all policies',
      FILTERS: 'Edit content filters',
    })
    if (operation === null) return
    await orTell(session, async () => {
      if (operation === 'NEW') await askNew(session, direction)
      else if (operation === 'EDIT') await askEdit(session, direction)
      else if (operation === 'PRINT') await print(session, direction)
      else if (operation === 'FILTERS') await editContentFilters(session, direction)
      else removePolicy(session, direction, await session.ask.field('Name or number of policy to delete:', text()))
    })
  }
}

const POLICY_OPTIONS = ['senders', 'recipients', 'filters'] as const

const fromOptions = (table: PolicyTable, base: MailPolicy, { options }: FormWords): MailPolicy => ({
  ...base,
  ...(options['senders'] === undefined ? {} : { senders: readMembers(options['senders']) }),
  ...(options['recipients'] === undefined ? {} : { recipients: readMembers(options['recipients']) }),
  ...(options['filters'] === undefined ? {} : { contentFilters: readFilterNames(table, options['filters']) }),
})

const newFilter = (session: Session, direction: Direction, { words: [name = ''], options }: FormWords): void => {
  const table = tableOf(session, direction)
  const condition = options['if']
  const filter = {
    name: newFilterName(table, name),
    description: options['descr'] ?? '',
    logic: 'or' as const,
    conditions: condition === undefined ? [] : [readCondition(condition)],
    actions: readActions(options['do'] ?? ''),
  }
  stageTable(session, direction, putFilter(table, null, checked(filter, session.draft)))
}

const editPolicy = (session: Session, direction: Direction, form: FormWords): void => {
  const table = tableOf(session, direction)
  const name = form.words[0] ?? ''
  if (name !== DEFAULT_POLICY) {
    const old = findPolicy(table, name)
    return stageTable(session, direction, replacePolicy(table, old, fromOptions(table, old, form)))
  }
  const base = { name, senders: [], recipients: [], contentFilters: table.defaultContentFilters }
  const { contentFilters } = fromOptions(table, base, form)
  stageTable(session, direction, { ...table, defaultContentFilters: contentFilters })
}

const formsOf = (direction: Direction): readonly Form[] => {
  const form = (
    words: readonly string[],
    takes: string,
    names: number,
    values: readonly string[],
    run: (session: Session, read: FormWords) => void | Promise<void>,
  ): Form => {
    const usage = ['policyconfig', direction, ...words, takes].filter((w) => w !== '').join(' ')
    return {
      usage,
      words: [direction, ...words],
      run: async (session, args) => run(session, readForm(usage, args, { min: names, max: names, values })),
    }
  }
  const members = '[--senders=A,B] [--recipients=A,B] [--filters=F,G]'
  return [
    form(['new'], `NAME ${members}`, 1, POLICY_OPTIONS, (session, read) => {
      const table = tableOf(session, direction)
      const name = newPolicyName(table, read.words[0] ?? '')
      const base = { name, senders: [], recipients: [], contentFilters: table.defaultContentFilters }
      const policies = [...table.policies, fromOptions(table, base, read)]
      stageTable(session, direction, { ...table, policies })
    }),
    form(['edit'], `NAME|DEFAULT ${members}`, 1, POLICY_OPTIONS, (session, read) =>
      editPolicy(session, direction, read),
    ),
    form(['delete'], 'NAME', 1, [], (session, read) => removePolicy(session, direction, read.words[0] ?? '')),
    form(['print'], '', 0, [], (session) => print(session, direction)),
    form(
      ['filters', 'new'],
      'NAME [--if=CONDITION] --do=ACTIONS [--descr=TEXT]',
      1,
      ['if', 'do', 'descr'],
      (session, read) => newFilter(session, direction, read),
    ),
    form(['filters', 'delete'], 'NAME', 1, [], (session, read) => {
      const table = tableOf(session, direction)
      stageTable(session, direction, withoutFilter(table, findFilter(table, read.words[0] ?? '')))
    }),
    form(['filters', 'print'], '', 0, [], (session) =>
      session.page(tableOf(session, direction).contentFilters.flatMap(filterLines)),
    ),
  ]
}

export default defineCommand({
  name: 'policyconfig',
  summary: 'Configure per recipient or sender mail policies',
  description:
    'Mail policies of incoming and outgoing mail, top to bottom, the first that matches a recipient wins; and the ' +
    'content filters that they use (docs/filters.md).',
  options: {
    '--senders=A,B': 'the senders that it is for',
    '--recipients=A,B': 'the recipients that it is for',
    '--filters=F,G': 'its content filters, in order',
    '--if=CONDITION': 'when the filter acts; always without it',
    '--do=ACTIONS': 'what it does, separated by ;',
    '--descr=TEXT': 'what the filter is for',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [...formsOf('incoming'), ...formsOf('outgoing')],
  run: async (session) => {
    const question = 'Would you like to configure Incoming or Outgoing Mail Policies?'
    const directions = ['incoming', 'outgoing'] as const
    const direction = await session.ask.pick(question, directions, (d) => `${TITLE[d]} Mail Policies`, 0)
    await dialogue(session, direction)
  },
})
