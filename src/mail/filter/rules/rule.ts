import type { Test } from '../ast.ts'
import type { Facts } from '../facts.ts'
import type { Resources } from '../resources.ts'

/** Cost ranks (docs/filters.md): of two sides of AND/OR the cheaper one is asked first. */
export const COST = { envelope: 1, header: 4, verdict: 8, structure: 16, text: 64, lookup: 256 } as const

export type Predicate = (facts: Facts) => boolean | Promise<boolean>

export interface Rule {
  readonly cost: number
  /** @throws BadUse when the test cannot be used as it is written. */
  compile(test: Test, resources: Resources): Predicate
}

export type RuleTable = Readonly<Record<string, Rule>>
