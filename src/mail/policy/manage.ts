import type { ConfigReader } from '../../config/section.ts'
import type { ContentFilter, MailPolicy, PolicyTable } from '../../config/sections/mail-policies.ts'
import { UserError } from '../../core/errors.ts'
import { isHostname } from '../../core/schema.ts'
import { problemText } from '../filter/ast.ts'
import { parseAction, parseBody, parseCondition } from '../filter/parser.ts'
import { printAction, printExpression } from '../filter/print.ts'
import { compileStoredContentFilter } from '../filter/program.ts'
import { resourcesOf } from '../filter/resources.ts'
import { DEFAULT_POLICY } from './match.ts'

/** Edits of one table of mail policies, as `policyconfig` makes them. Each @throws UserError. */

const memberProblem = (member: string): string | null => {
  const at = member.lastIndexOf('@')
  const local = member.slice(0, at)
  const domain = member.slice(at + 1).replace(/^\./, '')
  const fits = at >= 0 && !/[\s,<>]/.test(local) && (domain === '' ? local !== '' : isHostname(domain))
  return fits ? null : `'${member}' is no member: use user@example.com, user@, @example.com or @.example.com.`
}

export const readMembers = (text: string): string[] =>
  text
    .split(',')
    .map((m) => m.trim())
    .filter((m) => m !== '')
    .map((member) => {
      const problem = memberProblem(member)
      if (problem !== null) throw new UserError(problem)
      return member
    })

export const newPolicyName = (table: PolicyTable, text: string, old?: string): string => {
  const name = text.trim()
  if (name === '') throw new UserError('A value is required.')
  const taken = name === DEFAULT_POLICY || table.policies.some((p) => p.name === name && p.name !== old)
  if (taken) throw new UserError(`There is already a policy '${name}'.`)
  return name
}

export const findPolicy = (table: PolicyTable, text: string): MailPolicy => {
  const found = table.policies.find((p, i) => p.name === text.trim() || String(i + 1) === text.trim())
  if (!found) throw new UserError(`There is no policy '${text.trim()}'.`)
  return found
}

export const newFilterName = (table: PolicyTable, text: string, old?: string): string => {
  const name = text.trim()
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,254}$/.test(name))
    throw new UserError('The name must begin with a letter or _ and have only letters, digits, _ and -.')
  if (table.contentFilters.some((f) => f.name === name && f.name !== old))
    throw new UserError(`There is already a content filter '${name}'.`)
  return name
}

export const findFilter = (table: PolicyTable, text: string): ContentFilter => {
  const found = table.contentFilters.find((f, i) => f.name === text.trim() || String(i + 1) === text.trim())
  if (!found) throw new UserError(`There is no content filter '${text.trim()}'.`)
  return found
}

/** Names of content filters of the table, in the order of the table. */
export const readFilterNames = (table: PolicyTable, text: string): string[] => {
  const names = text
    .split(',')
    .map((n) => n.trim())
    .filter((n) => n !== '')
  for (const name of names) findFilter(table, name)
  return table.contentFilters.map((f) => f.name).filter((n) => names.includes(n))
}

export const readCondition = (text: string): string => {
  const parsed = parseCondition(text)
  if (!parsed.ok) throw new UserError(`Filter error: ${problemText(parsed.error)}`)
  return printExpression(parsed.value)
}

export const readAction = (text: string): string => {
  const parsed = parseAction(text)
  if (!parsed.ok) throw new UserError(`Filter error: ${problemText(parsed.error)}`)
  return printAction(parsed.value)
}

/** `quarantine("Policy"); log-entry("x")` → its actions. */
export const readActions = (text: string): string[] => {
  const parsed = parseBody(`if true {${text}}`)
  if (!parsed.ok) throw new UserError(`Filter error: ${parsed.error.message}`)
  return parsed.value.then.map((s) => {
    if (s.kind === 'if') throw new UserError('A content filter has a list of actions and no if inside.')
    return printAction(s)
  })
}

/** Refuses a filter that could not run: an unknown name, no action, a final action that is not last. */
export const checked = (filter: ContentFilter, config: ConfigReader): ContentFilter => {
  const compiled = compileStoredContentFilter(filter, resourcesOf(config))
  if (!compiled.ok) throw new UserError(`Filter error: ${problemText(compiled.error)}`)
  return filter
}

export const putFilter = (table: PolicyTable, old: ContentFilter | null, filter: ContentFilter): PolicyTable => {
  if (old === null) return { ...table, contentFilters: [...table.contentFilters, filter] }
  const renamed = (names: readonly string[]): string[] => names.map((n) => (n === old.name ? filter.name : n))
  return {
    policies: table.policies.map((p) => ({ ...p, contentFilters: renamed(p.contentFilters) })),
    defaultContentFilters: renamed(table.defaultContentFilters),
    contentFilters: table.contentFilters.map((f) => (f === old ? filter : f)),
  }
}

/** The policies forget it too. */
export const withoutFilter = (table: PolicyTable, filter: ContentFilter): PolicyTable => ({
  policies: table.policies.map((p) => ({ ...p, contentFilters: p.contentFilters.filter((n) => n !== filter.name) })),
  defaultContentFilters: table.defaultContentFilters.filter((n) => n !== filter.name),
  contentFilters: table.contentFilters.filter((f) => f !== filter),
})

const members = (list: readonly string[]): string => (list.length === 0 ? 'Any' : list.join(', '))

export const policyLines = (title: string, table: PolicyTable): readonly string[] => {
  const all = [
    ...table.policies,
    { name: DEFAULT_POLICY, senders: [], recipients: [], contentFilters: table.defaultContentFilters },
  ]
  const width = Math.max(10, ...all.map((p) => p.name.length)) + 1
  return [
    `${title} Mail Policy Configuration`,
    `${'Name:'.padEnd(width)}Content Filter:`,
    `${'-----'.padEnd(width)}---------------`,
    ...all.map((p) => `${p.name.padEnd(width)}${p.contentFilters.length === 0 ? 'Off' : p.contentFilters.join(', ')}`),
  ]
}

export const memberLines = (p: MailPolicy): readonly string[] => [
  `Policy: ${p.name}`,
  `Senders: ${members(p.senders)}`,
  `Recipients: ${members(p.recipients)}`,
  `Content filters: ${p.contentFilters.length === 0 ? 'Off' : p.contentFilters.join(', ')}`,
]

export const filterLines = (f: ContentFilter): readonly string[] => [
  `Filter Name:  ${f.name}`,
  'Conditions:',
  ...(f.conditions.length === 0 ? ['Always Run'] : f.conditions),
  ...(f.conditions.length > 1 ? [f.logic === 'or' ? 'One or more must match.' : 'All must match.'] : []),
  'Actions:',
  ...(f.actions.length === 0 ? ['No actions defined yet.'] : f.actions),
  'Description:',
  f.description,
]
