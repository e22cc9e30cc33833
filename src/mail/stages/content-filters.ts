import { mailPolicies } from '../../config/sections/mail-policies.ts'
import { createContentPrograms } from '../filter/program.ts'
import { runFilters } from '../filter/run.ts'
import type { RunnableFilter } from '../filter/run.ts'
import { contentFiltersOf } from '../policy/match.ts'
import type { Message, Stage, StageContext } from '../pipeline/stage.ts'
import { filterRun, outcomeOf } from './filter-facts.ts'
import type { FilterStageDeps } from './filter-facts.ts'

/** `policyconfig`: the content filters of the message's policy, per splinter, after every engine. */
export const contentFiltersStage = (deps: FilterStageDeps): Stage => {
  const programs = createContentPrograms()
  const filtersOf = (message: Message, ctx: StageContext): readonly RunnableFilter[] => {
    const table = ctx.config.get(mailPolicies)[message.entry.direction]
    const compiled = programs(ctx.config)[message.table]
    return contentFiltersOf(table, message.policy ?? '').flatMap((f) => compiled.get(f.name) ?? [])
  }
  return {
    name: 'content-filters',
    enabled: (message, ctx) => filtersOf(message, ctx).length > 0,
    process: async (message, ctx) =>
      outcomeOf(await runFilters(filtersOf(message, ctx), filterRun(message, ctx, deps))),
  }
}
