/** The filter language as a tree (docs/filters.md). Positions are 1-based and only for messages. */
export interface Position {
  readonly line: number
  readonly column: number
}

export const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const
export type Operator = (typeof OPERATORS)[number]

export type Argument =
  | { readonly kind: 'string'; readonly text: string }
  /** `text` as written, in bytes when it has a suffix: `10k` is 10240. */
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'operator'; readonly operator: Operator }

export interface Test {
  readonly kind: 'test'
  /** In lower case, `_` written as `-`. */
  readonly rule: string
  readonly args: readonly Argument[] | null
  readonly comparison: { readonly operator: Operator; readonly value: Argument } | null
  readonly at: Position
}

export type Expression =
  | { readonly kind: 'or' | 'and'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | Test

export interface ActionCall {
  readonly kind: 'action'
  readonly name: string
  readonly args: readonly Argument[]
  readonly at: Position
}

export interface If {
  readonly kind: 'if'
  readonly test: Expression
  readonly then: readonly Statement[]
  readonly otherwise: readonly Statement[] | null
}

export type Statement = If | ActionCall

export interface Filter {
  readonly name: string
  readonly active: boolean
  readonly body: If
  readonly at: Position
}

/** Why a script is refused, and where. */
export interface Problem {
  readonly message: string
  readonly at: Position
}

export const problemText = (problem: Problem): string =>
  `${problem.message} (line ${problem.at.line}, column ${problem.at.column})`

/** Names are told apart neither by case nor by `_` and `-` (books print both). */
export const canonicalName = (word: string): string => word.toLowerCase().replaceAll('_', '-')
