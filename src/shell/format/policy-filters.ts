import { mailPolicies } from '../../config/sections/mail-policies.ts'
import type { ContentFilter, PolicyTable } from '../../config/sections/mail-policies.ts'
import { text } from '../../core/schema.ts'
import {
  checked,
  filterLines,
  findFilter,
  newFilterName,
  putFilter,
  readAction,
  readCondition,
  withoutFilter,
} from '../../mail/policy/manage.ts'
import { UserError } from '../../core/errors.ts'
import type { Session } from '../command.ts'
import { ACTION_CHOICES, CONDITIONS } from './content-filter.ts'

export type Direction = 'incoming' | 'outgoing'

export const tableOf = (session: Session, direction: Direction): PolicyTable =>
  session.draft.get(mailPolicies)[direction]

export const stageTable = (session: Session, direction: Direction, table: PolicyTable): void =>
  session.draft.set(mailPolicies, { ...session.draft.get(mailPolicies), [direction]: table })

/** At a menu a refused answer is one line, and the menu comes again; a script ends there. */
export const orTell = async (session: Session, act: () => Promise<void>): Promise<void> => {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof UserError) || session.terminal.batch !== undefined) throw error
    session.print(error.message)
  }
}

const addTo = async (session: Session, filter: ContentFilter): Promise<ContentFilter> => {
  const { ask } = session
  const kind = await ask.pick('', ['Condition', 'Action'], (k) => k, 0)
  if (kind === 'Condition') {
    const choice = await ask.pick('', CONDITIONS, (c) => c.label, 0)
    const conditions = [...filter.conditions, readCondition(await choice.build(ask))]
    checked({ ...filter, conditions, actions: ['no-op()'] }, session.draft)
    return { ...filter, conditions }
  }
  const choice = await ask.pick('', ACTION_CHOICES, (c) => c.label, 0)
  const actions = [...filter.actions, readAction(await choice.build(ask))]
  return checked({ ...filter, actions }, session.draft)
}

const removeFrom = async (session: Session, filter: ContentFilter): Promise<ContentFilter> => {
  const all = [...filter.conditions, ...filter.actions]
  const chosen = await session.ask.pick('Choose the condition or action to delete:', all, (line) => line)
  const at = all.indexOf(chosen)
  return {
    ...filter,
    conditions: filter.conditions.filter((_, i) => i !== at),
    actions: filter.actions.filter((_, i) => i + filter.conditions.length !== at),
  }
}

/** The menu of one filter. Enter leaves it, and only a filter that can run is kept. */
const editFilter = async (session: Session, table: PolicyTable, start: ContentFilter): Promise<ContentFilter> => {
  const { ask } = session
  let filter = start
  for (;;) {
    session.print(...filterLines(filter))
    const some = filter.conditions.length + filter.actions.length > 0
    const operation = await ask.choose({
      RENAME: 'Rename this filter',
      DESC: 'Edit filter description',
      ADD: 'Add condition or action',
      ...(some ? { DELETE: 'Delete condition or action' } : {}),
      ...(filter.conditions.length > 1 ? { LOGIC: 'Toggle between AND/OR' } : {}),
    })
    if (operation === null) return filter
    await orTell(session, async () => {
      if (operation === 'RENAME')
        filter = {
          ...filter,
          name: newFilterName(table, await ask.field('Enter a name for this filter:', text()), start.name),
        }
      else if (operation === 'DESC')
        filter = {
          ...filter,
          description: (await ask.optional('Enter a description or comment for this filter (optional):', text())) ?? '',
        }
      else if (operation === 'ADD') filter = await addTo(session, filter)
      else if (operation === 'DELETE') filter = await removeFrom(session, filter)
      else filter = { ...filter, logic: filter.logic === 'or' ? 'and' : 'or' }
    })
  }
}

const askNew = async (session: Session, direction: Direction): Promise<void> => {
  const table = tableOf(session, direction)
  const name = newFilterName(table, await session.ask.field('Enter a name for this filter:', text()))
  const question = 'Enter a description or comment for this filter (optional):'
  const description = (await session.ask.optional(question, text())) ?? ''
  const filter = await editFilter(session, table, { name, description, logic: 'or', conditions: [], actions: [] })
  stageTable(session, direction, putFilter(table, null, checked(filter, session.draft)))
}

const overview = (table: PolicyTable): readonly string[] =>
  table.contentFilters.length === 0
    ? ['No filters defined.']
    : ['Defined filters:', ...table.contentFilters.map((f, i) => `${i + 1}. ${f.name}: ${f.description}`)]

/** policyconfig -> FILTERS. */
export const editContentFilters = async (session: Session, direction: Direction): Promise<void> => {
  for (;;) {
    const table = tableOf(session, direction)
    session.print(...overview(table))
    const operation = await session.ask.choose({
      NEW: 'Create a new filter',
      ...(table.contentFilters.length === 0
        ? {}
        : { EDIT: 'Edit an existing filter', DELETE: 'Delete a filter', PRINT: 'Print all filters' }),
    })
    if (operation === null) return
    await orTell(session, async () => {
      if (operation === 'NEW') return askNew(session, direction)
      if (operation === 'PRINT') return session.print(...table.contentFilters.flatMap(filterLines))
      const question = `Enter the name or number of the filter to ${operation.toLowerCase()}:`
      const old = findFilter(table, await session.ask.field(question, text()))
      if (operation === 'DELETE') return stageTable(session, direction, withoutFilter(table, old))
      const filter = checked(await editFilter(session, table, old), session.draft)
      return stageTable(session, direction, putFilter(table, old, filter))
    })
  }
}
