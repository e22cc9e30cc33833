import { readConfigurationFile } from '../../../config/files.ts'
import { urlLists } from '../../../config/sections/url-lists.ts'
import type { UrlList } from '../../../config/sections/url-lists.ts'
import { parseUrlEntries, parseUrlListFile } from '../../../config/url-entries.ts'
import { UserError } from '../../../core/errors.ts'
import { text } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { namedList } from '../../format/named-list.ts'
import { readValue, wordForm } from '../../options.ts'

const lists = namedList(urlLists, 'URL list')

const overview = (session: Session): string => {
  const count = lists.all(session).length
  return count === 0 ? 'No URL lists configured.' : `There are currently ${count} URL lists configured.`
}

const readUrls = (answer: string): string[] => {
  const parsed = parseUrlEntries(answer)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

const PASTE = [
  'Enter the URL domains that need to be skipped from scanning for URL Filtering.',
  "Enter one URL domain per line and '.' to finish.",
].join('\n')

/** A wrong line is told and the list asked for again; a script ends there. */
const pasteUrls = async (session: Session): Promise<string[]> => {
  for (;;) {
    const parsed = parseUrlEntries(await session.ask.paste(PASTE))
    if (parsed.ok) return parsed.value
    if (session.terminal.batch !== undefined) throw new UserError(parsed.error)
    session.print(parsed.error)
  }
}

const nameOf = (session: Session, answer: string): string => {
  return readValue(lists.newName(session), answer)
}

const add = (session: Session, list: UrlList): void => {
  lists.add(session, list)
  session.print(`URL list ${printable(list.name)} added.`)
}

const change = (session: Session, old: UrlList, list: UrlList): void => {
  lists.replace(session, old, list)
  session.print(`URL list ${printable(list.name)} updated.`)
}

const remove = (session: Session, list: UrlList): void => {
  lists.remove(session, list)
  session.print(`URL list ${printable(list.name)} deleted.`)
}

const importFile = async (session: Session, file: string): Promise<void> => {
  const parsed = parseUrlListFile(await readConfigurationFile(session.appliance.home, file))
  if (!parsed.ok) throw new UserError(`${file}: ${parsed.error} Nothing was imported.`)
  add(session, { name: nameOf(session, parsed.value.name), urls: parsed.value.urls })
}

const askNew = async (session: Session): Promise<void> => {
  if (await session.ask.confirm('Do you want to import a URL list?', false)) {
    const question = 'Enter the name of the file to import (its first line is the name of the list):'
    await importFile(session, await session.ask.field(question, text()))
    return
  }
  const name = await session.ask.field('Enter a name for the URL list', lists.newName(session))
  add(session, { name, urls: await pasteUrls(session) })
}

/** Forms that take a name and, with `urls`, entries after it. */
const form = (word: string, urls: boolean, act: (session: Session, name: string, urls: string[]) => void): Form => {
  const usage = `urllistconfig ${word} NAME${urls ? ' URL[,URL...]' : ''}`
  return wordForm(usage, [word], urls ? [2, 1000] : 1, (session, [name = '', ...rest]) =>
    act(session, name, urls ? readUrls(rest.join(',')) : []),
  )
}

const IMPORT = 'urllistconfig import FILE'

export default defineCommand({
  name: 'urllistconfig',
  summary: 'Configure lists of URLs',
  description:
    'URL lists hold sites that URL filtering does not look up: the allowed list of websecurityconfig, and lists that ' +
    'filters name.',
  example: 'lists',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('new', true, (session, name, urls) => add(session, { name: nameOf(session, name), urls })),
    form('edit', true, (session, name, urls) => change(session, lists.find(session, name), { name, urls })),
    form('delete', false, (session, name) => remove(session, lists.find(session, name))),
    form('print', false, (session, name) => session.print(...lists.find(session, name).urls.map(printable))),
    wordForm(IMPORT, ['import'], 1, (session, [word = '']) => importFile(session, word)),
  ],
  run: async (session) => {
    for (;;) {
      session.print(overview(session))
      const some = lists.all(session).length > 0
      const operation = await session.ask.choose({
        NEW: 'Create a new URL list',
        ...(some ? { EDIT: 'Modify an existing URL list', DELETE: 'Delete an existing URL list' } : {}),
      })
      if (operation === null) return
      if (operation === 'NEW') {
        await askNew(session)
        continue
      }
      const question = `Choose the URL list to ${operation.toLowerCase()}:`
      const list = await session.ask.pick(question, lists.all(session), (l) => printable(l.name), 0)
      if (operation === 'DELETE') remove(session, list)
      else {
        session.print(...list.urls.map(printable))
        change(session, list, { ...list, urls: await pasteUrls(session) })
      }
    }
  },
})
