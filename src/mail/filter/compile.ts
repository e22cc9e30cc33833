import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'
import { ACTIONS } from './actions/index.ts'
import type { Act } from './actions/action.ts'
import { BadUse } from './arguments.ts'
import type { ActionCall, Expression, If, Position, Problem, Statement } from './ast.ts'
import type { Facts } from './facts.ts'
import type { Resources } from './resources.ts'
import { RULES } from './rules/index.ts'

/** A tree whose names are resolved: it can only be run. */
export type CompiledStatement =
  | { readonly kind: 'act'; readonly act: Act }
  | {
      readonly kind: 'if'
      readonly test: CompiledTest
      readonly then: readonly CompiledStatement[]
      readonly otherwise: readonly CompiledStatement[]
    }

export interface CompiledTest {
  readonly cost: number
  test(facts: Facts): Promise<boolean>
}

/** @throws BadUse with the position of what cannot be used. */
const locate = <T>(at: Position, compile: () => T): T => {
  try {
    return compile()
  } catch (error) {
    if (error instanceof BadUse && error.at === undefined) throw new BadUse(error.message, at)
    throw error
  }
}

const closest = (word: string, known: Iterable<string>): string => {
  const hit = [...known].find((k) => k.startsWith(word) || word.startsWith(k))
  return hit === undefined ? '' : ` Did you mean '${hit}'?`
}

/** Short-circuit, the cheaper side first; of equal sides the left one. A compound costs the sum of its sides. */
const compileExpression = (e: Expression, resources: Resources): CompiledTest => {
  if (e.kind === 'test') {
    const rule = RULES.get(e.rule)
    if (!rule) throw new BadUse(`There is no rule '${e.rule}'.${closest(e.rule, RULES.keys())}`, e.at)
    const predicate = locate(e.at, () => rule.compile(e, resources))
    return { cost: rule.cost, test: async (facts) => predicate(facts) }
  }
  if (e.kind === 'not') {
    const operand = compileExpression(e.operand, resources)
    return { cost: operand.cost, test: async (facts) => !(await operand.test(facts)) }
  }
  const left = compileExpression(e.left, resources)
  const right = compileExpression(e.right, resources)
  const [first, second] = right.cost < left.cost ? [right, left] : [left, right]
  const decides = e.kind === 'or'
  return {
    cost: left.cost + right.cost,
    test: async (facts) => ((await first.test(facts)) === decides ? decides : second.test(facts)),
  }
}

const compileAction = (call: ActionCall, resources: Resources): CompiledStatement => {
  const action = ACTIONS.get(call.name)
  if (!action) throw new BadUse(`There is no action '${call.name}'.${closest(call.name, ACTIONS.keys())}`, call.at)
  return { kind: 'act', act: locate(call.at, () => action.compile(call, resources)) }
}

const compileStatements = (statements: readonly Statement[], resources: Resources): readonly CompiledStatement[] =>
  statements.map((s) => (s.kind === 'action' ? compileAction(s, resources) : compileIf(s, resources)))

const compileIf = (s: If, resources: Resources): CompiledStatement => ({
  kind: 'if',
  test: compileExpression(s.test, resources),
  then: compileStatements(s.then, resources),
  otherwise: compileStatements(s.otherwise ?? [], resources),
})

const START: Position = { line: 1, column: 1 }

const refusing = <T>(compile: () => T): Result<T, Problem> => {
  try {
    return ok(compile())
  } catch (error) {
    if (error instanceof BadUse) return fail({ message: error.message, at: error.at ?? START })
    throw error
  }
}

/** Resolves every name of a filter, or says what is wrong and where: an unknown rule, action, list or quarantine. */
export const compileBody = (body: If, resources: Resources): Result<CompiledStatement, Problem> =>
  refusing(() => compileIf(body, resources))

/** A content filter as one statement. `conditions` joined by any/all; none = always. */
export const compileContentFilter = (
  conditions: readonly Expression[],
  logic: 'or' | 'and',
  actions: readonly ActionCall[],
  resources: Resources,
): Result<CompiledStatement, Problem> =>
  refusing(() => {
    const always: CompiledTest = { cost: 0, test: async () => true }
    const [first, ...others] = conditions
    const joined = first && others.reduce<Expression>((left, right) => ({ kind: logic, left, right }), first)
    const early = actions.slice(0, -1).find((a) => ACTIONS.get(a.name)?.final)
    if (early) throw new BadUse(`'${early.name}' is a final action: it can only stand last.`, early.at)
    if (actions.length === 0) throw new BadUse('A content filter needs at least one action.')
    return {
      kind: 'if',
      test: joined ? compileExpression(joined, resources) : always,
      then: compileStatements(actions, resources),
      otherwise: [],
    }
  })
