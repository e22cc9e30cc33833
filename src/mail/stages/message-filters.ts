import { createMessagePrograms } from '../filter/program.ts'
import { runFilters } from '../filter/run.ts'
import type { Stage } from '../pipeline/stage.ts'
import { filterRun, outcomeOf } from './filter-facts.ts'
import type { FilterStageDeps } from './filter-facts.ts'

/** `filters`: once per message, all recipients together, before the mail policies. */
export const messageFiltersStage = (deps: FilterStageDeps): Stage => {
  const programs = createMessagePrograms()
  return {
    name: 'message-filters',
    enabled: (_message, ctx) => programs(ctx.config).length > 0,
    process: async (message, ctx) => outcomeOf(await runFilters(programs(ctx.config), filterRun(message, ctx, deps))),
  }
}
