import type { ConfigReader } from '../../config/section.ts'
import { messageFilters } from '../../config/sections/message-filters.ts'
import type { MessageFilter } from '../../config/sections/message-filters.ts'
import { UserError } from '../../core/errors.ts'
import { ACTIONS } from './actions/index.ts'
import { canonicalName, problemText } from './ast.ts'
import { compileBody } from './compile.ts'
import { KEYWORDS, parseBody, parseScript } from './parser.ts'
import { printBody, printFilter } from './print.ts'
import { compileMessageFilter } from './program.ts'
import { resourcesOf } from './resources.ts'
import { RULES } from './rules/index.ts'

/** Edits of the ordered list of message filters, as the `filters` command makes them. Each @throws UserError. */
type Filters = readonly MessageFilter[]

const reserved = (name: string): boolean => {
  const word = canonicalName(name)
  return KEYWORDS.includes(word) || word === 'all' || word === 'last' || RULES.has(word) || ACTIONS.has(word)
}

/** The filters of a script; every name in it must exist now, and its own names must be free. */
export const readScript = (script: string, config: ConfigReader, taken: Filters): MessageFilter[] => {
  const parsed = parseScript(script)
  if (!parsed.ok) throw new UserError(`Filter error: ${problemText(parsed.error)}`)
  const names = new Set(taken.map((f) => f.name))
  const resources = resourcesOf(config)
  return parsed.value.map(({ name, active, body, at }) => {
    const where = `(line ${at.line}, column ${at.column})`
    if (reserved(name)) throw new UserError(`Filter error: '${name}' is a reserved word. ${where}`)
    if (name.length > 255) throw new UserError(`Filter error: a name has at most 255 characters. ${where}`)
    if (names.has(name)) throw new UserError(`Filter error: there is already a filter '${name}'. ${where}`)
    names.add(name)
    const compiled = compileBody(body, resources)
    if (!compiled.ok) throw new UserError(`Filter error: ${problemText(compiled.error)}`)
    const text = printBody(body)
    if (text.length > 65_536) throw new UserError(`Filter error: '${name}' is larger than 65536 characters. ${where}`)
    return { name, active, script: text }
  })
}

/** A sequence number, a name or `last`: where something is put. */
export const positionOf = (filters: Filters, text: string): number => {
  const word = text.trim()
  if (word === '' || word.toLowerCase() === 'last') return filters.length
  if (/^\d+$/.test(word)) {
    const n = Number(word)
    if (n >= 1 && n <= filters.length + 1) return n - 1
    throw new UserError(`There is no position ${word}: the filters are numbered from 1 to ${filters.length}.`)
  }
  const at = filters.findIndex((f) => f.name === word)
  if (at < 0) throw new UserError(`There is no filter '${word}'.`)
  return at
}

/** `name`, `3`, `2-4`, `-4`, `2-`, `all`; indexes in order. */
export const selectionOf = (filters: Filters, text: string): readonly number[] => {
  const word = text.trim()
  const named = filters.findIndex((f) => f.name === word)
  if (named >= 0) return [named]
  if (word.toLowerCase() === 'all') return filters.map((_, i) => i)
  const range = /^(\d*)(-?)(\d*)$/.exec(word)
  if (!range || word === '' || word === '-') throw new UserError(`There is no filter '${word}'.`)
  const [, from = '', dash = '', to = ''] = range
  const first = from === '' ? 1 : Number(from)
  const last = dash === '' ? first : to === '' ? filters.length : Number(to)
  if (first < 1 || last > filters.length || first > last)
    throw new UserError(`There is no filter number ${word}: the filters are numbered from 1 to ${filters.length}.`)
  return Array.from({ length: last - first + 1 }, (_, i) => first - 1 + i)
}

export const insertAt = (filters: Filters, added: Filters, at: number): MessageFilter[] => [
  ...filters.slice(0, at),
  ...added,
  ...filters.slice(at),
]

export const without = (filters: Filters, selection: readonly number[]): MessageFilter[] =>
  filters.filter((_, i) => !selection.includes(i))

/** Several keep their order. `at` counts in the list as it is before the move. */
export const moved = (filters: Filters, selection: readonly number[], at: number): MessageFilter[] => {
  const group = filters.filter((_, i) => selection.includes(i))
  const before = selection.filter((i) => i < at).length
  const result = insertAt(without(filters, selection), group, Math.max(0, at - before))
  if (result.every((f, i) => f === filters[i])) throw new UserError('Movement would result in no change of sequence.')
  return result
}

export const withActive = (filters: Filters, selection: readonly number[], active: boolean): MessageFilter[] =>
  filters.map((f, i) => (selection.includes(i) ? { ...f, active } : f))

const yes = (value: boolean): string => (value ? 'Y' : 'N')

const row = (number: string, active: string, valid: string, name: string): string =>
  `${number.padEnd(4)}${active.padEnd(7)}${valid.padEnd(6)}${name}`

export const listLines = (config: ConfigReader, selection?: readonly number[], detail = false): readonly string[] => {
  const resources = resourcesOf(config)
  return [
    row('Num', 'Active', 'Valid', 'Name'),
    ...config.get(messageFilters).flatMap((f, i): readonly string[] => {
      if (selection && !selection.includes(i)) return []
      const compiled = compileMessageFilter(f, resources)
      const head = row(String(i + 1), yes(f.active), yes(compiled.ok), f.name)
      if (!detail) return [head]
      return [head, ...filterText(f).split('\n'), ...(compiled.ok ? [] : [problemText(compiled.error)])]
    }),
  ]
}

/** As it is exported and shown: name, `:` or `!`, and the script. */
export const filterText = (filter: MessageFilter): string => {
  const body = parseBody(filter.script)
  return body.ok
    ? printFilter({ name: filter.name, active: filter.active, body: body.value })
    : `${filter.name}${filter.active ? ':' : '!'} ${filter.script}`
}
