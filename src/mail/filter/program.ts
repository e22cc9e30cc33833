import type { ConfigReader, ConfigSection } from '../../config/section.ts'
import type { ContentFilter } from '../../config/sections/mail-policies.ts'
import { mailPolicies } from '../../config/sections/mail-policies.ts'
import { messageFilters } from '../../config/sections/message-filters.ts'
import type { MessageFilter } from '../../config/sections/message-filters.ts'
import type { Issue } from '../../core/errors.ts'
import type { Result } from '../../core/result.ts'
import type { PolicyTableName } from '../../events/message.ts'
import { problemText } from './ast.ts'
import type { ActionCall, Expression, Problem } from './ast.ts'
import { compileBody, compileContentFilter } from './compile.ts'
import type { CompiledStatement } from './compile.ts'
import { parseAction, parseBody, parseCondition } from './parser.ts'
import { resourcesOf, resourceSections } from './resources.ts'
import type { Resources } from './resources.ts'
import type { RunnableFilter } from './run.ts'

/** A stored message filter, ready to run, or why it is not valid. */
export const compileMessageFilter = (
  filter: MessageFilter,
  resources: Resources,
): Result<CompiledStatement, Problem> => {
  const body = parseBody(filter.script)
  return body.ok ? compileBody(body.value, resources) : body
}

export const compileStoredContentFilter = (
  filter: Pick<ContentFilter, 'logic' | 'conditions' | 'actions'>,
  resources: Resources,
): Result<CompiledStatement, Problem> => {
  const conditions: Expression[] = []
  for (const text of filter.conditions) {
    const parsed = parseCondition(text)
    if (!parsed.ok) return parsed
    conditions.push(parsed.value)
  }
  const actions: ActionCall[] = []
  for (const text of filter.actions) {
    const parsed = parseAction(text)
    if (!parsed.ok) return parsed
    actions.push(parsed.value)
  }
  return compileContentFilter(conditions, filter.logic, actions, resources)
}

/** Active and valid message filters of a configuration. */
const messagePrograms = (config: ConfigReader): readonly RunnableFilter[] => {
  const resources = resourcesOf(config)
  return config.get(messageFilters).flatMap((filter): readonly RunnableFilter[] => {
    if (!filter.active) return []
    const compiled = compileMessageFilter(filter, resources)
    return compiled.ok ? [{ ref: { kind: 'message filter', name: filter.name }, statement: compiled.value }] : []
  })
}

/** Valid content filters of both tables by name. */
const contentPrograms = (
  config: ConfigReader,
): Readonly<Record<PolicyTableName, ReadonlyMap<string, RunnableFilter>>> => {
  const resources = resourcesOf(config)
  const compileTable = (
    filters: readonly ContentFilter[],
    table: PolicyTableName,
  ): ReadonlyMap<string, RunnableFilter> =>
    new Map(
      filters.flatMap((filter): readonly (readonly [string, RunnableFilter])[] => {
        const compiled = compileStoredContentFilter(filter, resources)
        if (!compiled.ok) return []
        return [[filter.name, { ref: { kind: 'content filter', name: filter.name, table }, statement: compiled.value }]]
      }),
    )
  const policies = config.get(mailPolicies)
  return {
    inbound: compileTable(policies.incoming.contentFilters, 'inbound'),
    outbound: compileTable(policies.outgoing.contentFilters, 'outbound'),
  }
}

/** Compiles once per committed state of the sections that a program is made of. */
const perConfiguration = <T>(
  sections: readonly ConfigSection<never>[],
  compile: (config: ConfigReader) => T,
): ((config: ConfigReader) => T) => {
  let seen: readonly unknown[] = []
  let program: { readonly value: T } | undefined
  return (config) => {
    const now = sections.map((s) => config.get(s))
    if (!program || now.some((value, i) => value !== seen[i])) {
      program = { value: compile(config) }
      seen = now
    }
    return program.value
  }
}

const sectionsWith = (section: unknown): readonly ConfigSection<never>[] =>
  [section, ...resourceSections] as readonly ConfigSection<never>[]

export const createMessagePrograms = () => perConfiguration(sectionsWith(messageFilters), messagePrograms)
export const createContentPrograms = () => perConfiguration(sectionsWith(mailPolicies), contentPrograms)

const issue = (path: string, name: string, problem: Problem, active: boolean): Issue => ({
  path,
  message: `Filter '${name}' is not valid: ${problemText(problem)}`,
  severity: active ? 'error' : 'warning',
})

/** For `prepare`: an active filter that cannot run refuses the commit, an inactive one is warned of. */
export const messageFilterIssues = (filters: readonly MessageFilter[], config: ConfigReader): readonly Issue[] => {
  const resources = resourcesOf(config)
  return filters.flatMap((f) => {
    const compiled = compileMessageFilter(f, resources)
    return compiled.ok ? [] : [issue(`message_filters.${f.name}`, f.name, compiled.error, f.active)]
  })
}

export const contentFilterIssues = (config: ConfigReader): readonly Issue[] => {
  const resources = resourcesOf(config)
  const policies = config.get(mailPolicies)
  return (['incoming', 'outgoing'] as const).flatMap((table) =>
    policies[table].contentFilters.flatMap((f) => {
      const compiled = compileStoredContentFilter(f, resources)
      return compiled.ok ? [] : [issue(`mail_policies.${table}.contentFilters.${f.name}`, f.name, compiled.error, true)]
    }),
  )
}
