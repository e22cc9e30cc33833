import { compilePattern } from '../../core/regex.ts'
import type { Pattern } from '../../core/regex.ts'
import type { Argument, Operator, Position, Test } from './ast.ts'

/** A rule or action that cannot be used as it is written; caught by the compiler, which adds where. */
export class BadUse extends Error {
  readonly at: Position | undefined
  constructor(message: string, at?: Position) {
    super(message)
    this.at = at
  }
}

/** Reads the arguments of one rule or action in order and says in one line what is wrong with them. */
export class ArgumentReader {
  readonly #name: string
  readonly #args: readonly Argument[]
  #at = 0

  constructor(name: string, args: readonly Argument[] | null) {
    this.#name = name
    this.#args = args ?? []
  }

  get more(): boolean {
    return this.#at < this.#args.length
  }

  #take(what: string): Argument {
    const arg = this.#args[this.#at++]
    if (!arg) throw new BadUse(`'${this.#name}' needs ${what}.`)
    return arg
  }

  string(what: string): string {
    const arg = this.#take(what)
    if (arg.kind !== 'string') throw new BadUse(`'${this.#name}' needs ${what} as a string.`)
    return arg.text
  }

  number(what: string): number {
    const arg = this.#take(what)
    if (arg.kind !== 'number') throw new BadUse(`'${this.#name}' needs ${what} as a number.`)
    return arg.value
  }

  optionalNumber(what: string, initial: number): number {
    return this.more ? this.number(what) : initial
  }

  /** The name of a list: quoted, bare, or `""` for none. */
  listName(): string | null {
    if (!this.more) return null
    const arg = this.#take('the name of a list')
    if (arg.kind !== 'string' && arg.kind !== 'word')
      throw new BadUse(`'${this.#name}' needs the name of a list, or "".`)
    return arg.text === '' ? null : arg.text
  }

  strings(what: string): readonly string[] {
    const arg = this.#take(what)
    if (arg.kind === 'list') return arg.items
    if (arg.kind === 'string') return [arg.text]
    throw new BadUse(`'${this.#name}' needs ${what} as a list: ['one', 'two'].`)
  }

  operator(): Operator {
    const arg = this.#take('an operator')
    if (arg.kind === 'operator') return arg.operator
    const quoted = arg.kind === 'string' ? toOperator(arg.text.trim()) : undefined
    if (!quoted) throw new BadUse(`'${this.#name}' needs one of the operators == != < > <= >=.`)
    return quoted
  }

  pattern(what: string, ignoreCase = false): Pattern {
    return patternOf(this.string(what), ignoreCase)
  }

  end(): void {
    if (this.more) throw new BadUse(`'${this.#name}' has too many arguments.`)
  }
}

const toOperator = (text: string): Operator | undefined =>
  (['==', '!=', '<', '>', '<=', '>='] as const).find((o) => o === text)

export const patternOf = (source: string, ignoreCase = false): Pattern => {
  const compiled = compilePattern(translate(source), { ignoreCase })
  if (!compiled.ok) throw new BadUse(compiled.error)
  return compiled.value
}

/** Python's `(?P=…)` and look-around do not exist in a linear-time engine; `\Z` is its `\z`. */
export const translate = (source: string): string =>
  source.replace(/(\\[^Z])|\\Z/g, (all, kept?: string) => kept ?? (all === '\\Z' ? '\\z' : all))

export const noArguments = (test: Test): void => {
  if (test.args !== null && test.args.length > 0) throw new BadUse(`'${test.rule}' takes no arguments.`)
}

/** The regular expression of `rule == "…"`, and whether it must match or not. */
export const patternComparison = (
  test: Test,
  ignoreCase = false,
): { readonly pattern: Pattern; readonly wanted: boolean } => {
  const { wanted, text } = textComparison(test)
  return { pattern: patternOf(text, ignoreCase), wanted }
}

/** `rule == "…"` or `rule != "…"`. */
export const textComparison = (test: Test): { readonly text: string; readonly wanted: boolean } => {
  const c = test.comparison
  if (!c || (c.operator !== '==' && c.operator !== '!=')) throw new BadUse(`'${test.rule}' is compared with == or !=.`)
  if (c.value.kind !== 'string') throw new BadUse(`'${test.rule}' is compared with a string.`)
  return { text: c.value.text, wanted: c.operator === '==' }
}

export const numberComparison = (test: Test): ((n: number) => boolean) => {
  const c = test.comparison
  if (c?.value.kind !== 'number') throw new BadUse(`'${test.rule}' is compared with a number.`)
  return comparator(c.operator, c.value.value)
}

export const comparator =
  (operator: Operator, right: number) =>
  (left: number): boolean => {
    switch (operator) {
      case '==':
        return left === right
      case '!=':
        return left !== right
      case '<':
        return left < right
      case '>':
        return left > right
      case '<=':
        return left <= right
      case '>=':
        return left >= right
    }
  }

export const noComparison = (test: Test): void => {
  if (test.comparison) throw new BadUse(`'${test.rule}' is true or false by itself and is not compared.`)
}
