import type { FilterRef } from '../../events/message.ts'
import type { HeaderField } from '../message/parsed.ts'
import { editFields } from '../message/edit-headers.ts'
import { isHeaderEdit } from '../message/edit-kinds.ts'
import type { Edit, QuarantineFlag } from '../pipeline/stage.ts'
import type { Effects } from './actions/action.ts'
import type { CompiledStatement } from './compile.ts'
import type { Facts } from './facts.ts'

export interface RunnableFilter {
  readonly ref: FilterRef
  readonly statement: CompiledStatement
}

export interface FilterResult {
  readonly edits: readonly Edit[]
  readonly quarantine: QuarantineFlag | null
  readonly copies: readonly (QuarantineFlag & { readonly edits: readonly Edit[] })[]
  readonly droppedBy: FilterRef | null
}

export interface FilterRun {
  /** Everything but the headers, which the run keeps with the edits made so far. */
  readonly facts: Omit<Facts, 'headers'>
  log(text: string): void
}

/** Runs a list of filters top to bottom until a final action. Effects accumulate; a later quarantine flag replaces an earlier one. */
export const runFilters = async (filters: readonly RunnableFilter[], run: FilterRun): Promise<FilterResult> => {
  let headers: readonly HeaderField[] = run.facts.parsed.headers
  let quarantine: QuarantineFlag | null = null
  let droppedBy: FilterRef | null = null
  let ended = false
  const edits: Edit[] = []
  const copies: (QuarantineFlag & { readonly edits: readonly Edit[] })[] = []
  const facts: Facts = { ...run.facts, headers: () => headers }

  const execute = async (statements: readonly CompiledStatement[], effects: Effects): Promise<void> => {
    for (const s of statements) {
      if (ended) return
      if (s.kind === 'act') await s.act(effects)
      else await execute((await s.test.test(facts)) ? s.then : s.otherwise, effects)
    }
  }

  for (const { ref, statement } of filters) {
    if (ended) break
    await execute([statement], {
      facts,
      filter: ref,
      edit: (edit) => {
        edits.push(edit)
        if (isHeaderEdit(edit)) headers = editFields(headers, edit)
      },
      quarantine: (name) => {
        quarantine = { quarantine: name, by: ref }
      },
      copyToQuarantine: (name) => {
        copies.push({ quarantine: name, by: ref, edits: [...edits] })
      },
      log: (text) => run.log(text),
      drop: () => {
        droppedBy = ref
        ended = true
      },
      skip: () => {
        ended = true
      },
    })
  }
  return { edits, quarantine, copies, droppedBy }
}
