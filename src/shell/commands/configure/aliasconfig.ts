import { aliases } from '../../../config/sections/aliases.ts'
import type { Alias } from '../../../config/sections/aliases.ts'
import { readConfigurationFile } from '../../../config/files.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { emailAddress, hostname, list, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'
import { writeExport } from '../../files.ts'

const USER = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$/

/** `user`; outside a domain context also `user@example.com` and `@example.com`. */
const aliasName = (domain: string | null): Field<string> => ({
  parse: (answer) => {
    const name = answer.trim().toLowerCase()
    if (USER.test(name)) return ok(name)
    if (domain === null && (emailAddress.parse(name).ok || emailAddress.parse(`x${name}`).ok)) return ok(name)
    return fail(
      domain === null
        ? 'The value must be a user, an address or @domain. (Ex: customercare, help@example.com, @example.com)'
        : 'The value must be a user. (Ex: customercare)',
    )
  },
  format: (name) => name,
})

const target: Field<string> = {
  parse: (answer) => {
    const name = answer.trim()
    if (name.toLowerCase() === '/dev/null') return ok('/dev/null')
    return emailAddress.parse(name).ok || USER.test(name)
      ? ok(name)
      : fail('The value must be an email address, a user of the same domain, or /dev/null.')
  },
  format: (name) => name,
}

const all = ({ draft }: Session): readonly Alias[] => draft.get(aliases)
const same = (a: Alias, domain: string | null, alias: string): boolean => a.domain === domain && a.alias === alias

const put = (session: Session, entry: Alias): void => {
  const known = all(session).some((a) => same(a, entry.domain, entry.alias))
  session.draft.set(
    aliases,
    known ? all(session).map((a) => (same(a, entry.domain, entry.alias) ? entry : a)) : [...all(session), entry],
  )
}

const add = (session: Session, domain: string | null, names: readonly string[], to: readonly string[]): void => {
  for (const alias of names) {
    put(session, { domain, alias, addresses: [...to] })
    session.print(`Adding alias ${alias}: ${to.join(',')}`)
  }
}

const remove = (session: Session, domain: string | null, alias: string): void => {
  if (!all(session).some((a) => same(a, domain, alias)))
    throw new UserError(`There is no alias ${printableCut(alias, 100)} in ${domain ?? 'the global context'}.`)
  session.draft.set(
    aliases,
    all(session).filter((a) => !same(a, domain, alias)),
  )
  session.print(`Alias ${alias} removed.`)
}

/** As the file has it: `[ domain ]` begins a context. */
const lines = (entries: readonly Alias[]): readonly string[] => {
  const contexts = [...new Set(entries.map((a) => a.domain))].sort((a, b) => (a ?? '').localeCompare(b ?? ''))
  return contexts.flatMap((domain, i) => [
    ...(i === 0 ? [] : ['']),
    ...(domain === null ? [] : [`[ ${domain} ]`]),
    ...entries.filter((a) => a.domain === domain).map((a) => `${a.alias}: ${a.addresses.join(', ')}`),
  ])
}

const readLines = (file: string, content: string): Alias[] => {
  let domain: string | null = null
  return content.split(/\r?\n/).flatMap((raw, i): Alias[] => {
    const text = raw.trim()
    if (text === '' || text.startsWith('#')) return []
    try {
      const [, context] = /^\[\s*(.*?)\s*\]$/.exec(text) ?? []
      if (context !== undefined) {
        domain = readValue(hostname, context).toLowerCase()
        return []
      }
      const [, alias, to] = /^([^:]+):(.+)$/.exec(text) ?? []
      if (alias === undefined || to === undefined) throw new UserError('The line must be "alias: address, address".')
      return [{ domain, alias: readValue(aliasName(domain), alias), addresses: [...readValue(list(target), to)] }]
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new UserError(`${file}, line ${i + 1}: ${error.message} Nothing was imported.`)
    }
  })
}

const importFile = async (session: Session, file: string): Promise<void> => {
  const entries = readLines(file, await readConfigurationFile(session.appliance.home, file))
  session.draft.set(aliases, entries)
  session.print(
    `${entries.length} ${entries.length === 1 ? 'mapping' : 'mappings'} imported; they replace what was there.`,
  )
}

const exportFile = async (session: Session, file: string): Promise<void> => {
  const path = await writeExport(session, file, lines(all(session)))
  session.print(`Aliases written to ${printable(path)}.`)
}

const clear = (session: Session): void => {
  session.draft.set(aliases, [])
  session.print('All mappings removed.')
}

const askNew = async (session: Session): Promise<void> => {
  const { ask } = session
  const contexts = [...new Set(all(session).flatMap((a) => (a.domain === null ? [] : [a.domain])))].sort()
  const choices = [
    'Globally',
    'Add a new domain context',
    ...(contexts.length > 0 ? ['Add to an existing domain context'] : []),
  ]
  const how = choices.indexOf(await ask.pick('How do you want your aliases to apply?', choices, (c) => c, 0))
  const domain =
    how === 0
      ? null
      : how === 1
        ? (await ask.field('Enter the domain of the context. (Ex: example.com)', hostname)).toLowerCase()
        : await ask.pick('Choose the domain context:', contexts, (c) => c)
  do {
    const names = await ask.field(
      'Enter the alias(es) to match on.\nSeparate multiple aliases with commas.',
      list(aliasName(domain)),
    )
    const to = await ask.field(
      `Enter address(es) for "${names.join(', ')}".\nSeparate multiple addresses with commas.`,
      list(target),
    )
    add(session, domain, names, to)
    session.print('')
  } while (await ask.confirm('Do you want to add another alias?', false))
}

const overview = (session: Session): string => {
  const n = all(session).length
  return n === 0 ? 'There are no aliases configured.' : `There are currently ${n} mappings defined.`
}

const full = (a: Alias): string => (a.domain === null ? a.alias : `${a.alias}@${a.domain}`)

const dialogue = async (session: Session): Promise<void> => {
  const { ask } = session
  for (;;) {
    session.print(overview(session))
    const some = all(session).length > 0
    const operation = await ask.choose({
      NEW: 'Create a new entry.',
      ...(some ? { EDIT: 'Modify an entry.', DELETE: 'Remove an entry.', PRINT: 'Display the table.' } : {}),
      IMPORT: 'Import aliases from a file.',
      ...(some ? { EXPORT: 'Export table to a file.', CLEAR: 'Clear the table.' } : {}),
    })
    if (operation === null) return
    const pick = async (): Promise<Alias> => await ask.pick('Choose the alias:', all(session), full)
    if (operation === 'NEW') {
      await askNew(session)
      continue
    }
    if (operation === 'EDIT') {
      const old = await pick()
      const to = await ask.field(`Enter address(es) for "${old.alias}".`, list(target), old.addresses)
      put(session, { ...old, addresses: [...to] })
      continue
    }
    if (operation === 'DELETE') {
      const old = await pick()
      remove(session, old.domain, old.alias)
    } else if (operation === 'PRINT') await session.page(lines(all(session)))
    else if (operation === 'IMPORT')
      await importFile(session, await ask.field('Enter the name of the file to import:', text()))
    else if (operation === 'EXPORT')
      await exportFile(session, await ask.field('Enter a name for the exported file:', text()))
    else if (await ask.confirm('Are you sure you want to clear the table?', false)) clear(session)
    session.print('')
  }
}

const context = (word: string): string | null =>
  word.toUpperCase() === 'ALL' ? null : readValue(hostname, word).toLowerCase()

const form = (
  word: string,
  takes: string,
  count: number | readonly [number, number],
  run: (session: Session, words: readonly string[]) => void | Promise<void>,
): Form => wordForm(`aliasconfig ${word}${takes === '' ? '' : ` ${takes}`}`, [word], count, run)

export default defineCommand({
  name: 'aliasconfig',
  summary: 'Configure email aliases',
  description:
    'Replaces envelope recipients before delivery: an alias of a domain, or a global one, stands for one address or ' +
    'several. An alias may name aliases.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: dialogue,
  forms: [
    form('new', 'DOMAIN ALIAS ADDRESS [ADDRESS...]', [3, 1000], (session, [domain = '', alias = '', ...to]) => {
      const inside = context(domain)
      add(session, inside, [readValue(aliasName(inside), alias)], readValue(list(target), to.join(',')))
    }),
    form('delete', 'DOMAIN ALIAS', 2, (session, [domain = '', alias = '']) =>
      remove(session, context(domain), alias.toLowerCase()),
    ),
    form('print', '', 0, (session) =>
      session.page(all(session).length === 0 ? [overview(session)] : lines(all(session))),
    ),
    form('import', 'FILE', 1, (session, [file = '']) => importFile(session, file)),
    form('export', 'FILE', 1, (session, [file = '']) => exportFile(session, file)),
    form('clear', '', 0, clear),
  ],
})
