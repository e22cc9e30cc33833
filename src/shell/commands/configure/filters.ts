import { configurationPath, readConfigurationFile } from '../../../config/files.ts'
import { messageFilters } from '../../../config/sections/message-filters.ts'
import type { MessageFilter } from '../../../config/sections/message-filters.ts'
import { UserError } from '../../../core/errors.ts'
import { oneOf, text } from '../../../core/schema.ts'
import {
  filterText,
  insertAt,
  listLines,
  moved,
  positionOf,
  readScript,
  selectionOf,
  withActive,
  without,
} from '../../../mail/filter/manage.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'
import { writeExport } from '../../files.ts'

const all = ({ draft }: Session): readonly MessageFilter[] => draft.get(messageFilters)
const stage = (session: Session, filters: readonly MessageFilter[]): void =>
  session.draft.set(messageFilters, [...filters])

const PASTE = "Enter filter script.  Enter '.' on its own line to end."

/** A bad script is told and asked for again; a script of commands ends there. */
const pasteFilters = async (session: Session, taken: readonly MessageFilter[]): Promise<readonly MessageFilter[]> => {
  for (;;) {
    const script = await session.ask.paste(PASTE)
    if (script.trim() === '') return []
    try {
      return readScript(script, session.draft, taken)
    } catch (error) {
      if (!(error instanceof UserError) || session.terminal.batch !== undefined) throw error
      session.print(error.message)
    }
  }
}

const create = async (session: Session, where: string): Promise<void> => {
  const filters = all(session)
  const at = positionOf(filters, where)
  const added = await pasteFilters(session, filters)
  stage(session, insertAt(filters, added, at))
  session.print(`${added.length} filters added.`)
}

const remove = (session: Session, which: string): void => {
  const selection = selectionOf(all(session), which)
  stage(session, without(all(session), selection))
  session.print(`${selection.length} filters deleted.`)
}

const move = (session: Session, which: string, where: string): void => {
  const filters = all(session)
  const selection = selectionOf(filters, which)
  stage(session, moved(filters, selection, positionOf(filters, where)))
  session.print(`${selection.length} filters moved.`)
}

const setActive = (session: Session, which: string, attribute: string): void => {
  const selection = selectionOf(all(session), which)
  const word = readValue(oneOf(['active', 'inactive']), attribute)
  stage(session, withActive(all(session), selection, word === 'active'))
  session.print(`${selection.length} filters updated.`)
}

/** Replaces the whole list; on any error the old one stays. */
const importFile = async (session: Session, file: string): Promise<void> => {
  const script = await readConfigurationFile(session.appliance.home, file)
  const filters = readScript(script, session.draft, [])
  stage(session, filters)
  session.print(`${filters.length} filters added.`)
}

const exportFile = async (session: Session, file: string): Promise<void> => {
  configurationPath(session.appliance.home, file)
  const filters = all(session)
  await writeExport(
    session,
    file,
    filters.flatMap((f) => filterText(f).split('\n')),
  )
  session.print(`${filters.length} filters exported.`)
}

const show = (session: Session, which: string, detail: boolean): Promise<void> =>
  session.page(listLines(session.draft, selectionOf(all(session), which), detail))

const WHICH = 'Enter the filter name, number, or range:'
const which = (session: Session): Promise<string> => session.ask.field(WHICH, text(), 'all')

const MENU_EMPTY = { NEW: 'Create a new filter.', IMPORT: 'Import a filter script from a file.' } as const
const MENU = {
  NEW: 'Create a new filter.',
  DELETE: 'Remove a filter.',
  IMPORT: 'Import a filter script from a file.',
  EXPORT: 'Export filters to a file',
  MOVE: 'Move a filter to a different position.',
  SET: 'Set a filter attribute.',
  LIST: 'List the filters.',
  DETAIL: 'Get detailed information on the filters.',
} as const

const operate = async (session: Session, operation: keyof typeof MENU): Promise<void> => {
  const { ask } = session
  switch (operation) {
    case 'NEW':
      return create(session, 'last')
    case 'DELETE':
      return remove(session, await ask.field(WHICH, text()))
    case 'IMPORT':
      return importFile(session, await ask.field('Enter the name of the file to import:', text()))
    case 'EXPORT':
      return exportFile(session, await ask.field('Enter the name of the file to export:', text()))
    case 'MOVE': {
      const selected = await ask.field(WHICH, text())
      return move(session, selected, await ask.field('Enter the filter name or number to move before:', text(), 'last'))
    }
    case 'SET': {
      const selected = await which(session)
      const attribute = oneOf(['active', 'inactive'])
      return setActive(session, selected, await ask.field('Enter the attribute to set:', attribute, 'active'))
    }
    case 'LIST':
      return show(session, 'all', false)
    case 'DETAIL':
      return show(session, await which(session), true)
  }
}

const form = (
  word: string,
  takes: string,
  count: readonly [number, number],
  run: (session: Session, words: readonly string[]) => void | Promise<void>,
): Form => wordForm(`filters ${word}${takes === '' ? '' : ` ${takes}`}`, [word], count, run)

export default defineCommand({
  name: 'filters',
  summary: 'Configure message filters',
  description:
    'The ordered list of message filters (docs/filters.md). A filter runs when it is active and valid: valid means ' +
    'that every listener, list and quarantine that it names exists.',
  example: 'menu',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('new', '[POSITION|NAME|last]', [0, 1], (session, [where = 'last']) => create(session, where)),
    form('delete', 'NAME|NUMBER|RANGE|all', [1, 1], (session, [w = '']) => remove(session, w)),
    form('import', 'FILE', [1, 1], (session, [file = '']) => importFile(session, file)),
    form('export', 'FILE', [1, 1], (session, [file = '']) => exportFile(session, file)),
    form('move', 'NAME|NUMBER|RANGE POSITION|NAME|last', [2, 2], (session, [w = '', to = '']) => move(session, w, to)),
    form('set', 'NAME|NUMBER|RANGE|all active|inactive', [2, 2], (session, [w = '', a = '']) =>
      setActive(session, w, a),
    ),
    form('list', '', [0, 0], (session) => show(session, 'all', false)),
    form('detail', '[NAME|NUMBER|RANGE|all]', [0, 1], (session, [w = 'all']) => show(session, w, true)),
  ],
  run: async (session) => {
    for (;;) {
      const menu: Partial<typeof MENU> = all(session).length === 0 ? MENU_EMPTY : MENU
      const operation = await session.ask.choose<keyof typeof MENU>(menu)
      if (operation === null) return
      try {
        await operate(session, operation)
      } catch (error) {
        // At the menu a wrong name or file is one line, and the menu comes again.
        if (!(error instanceof UserError) || session.terminal.batch !== undefined) throw error
        session.print(error.message)
      }
    }
  },
})
