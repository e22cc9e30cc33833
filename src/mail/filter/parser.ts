import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'
import { canonicalName } from './ast.ts'
import type { ActionCall, Argument, Expression, Filter, If, Position, Problem, Statement, Test } from './ast.ts'
import { tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'

/** Depth of parentheses and blocks, and tests in one filter: far above any real filter, below any stack. */
const MAX_DEPTH = 64
const MAX_TESTS = 1000
export const KEYWORDS: readonly string[] = ['if', 'else', 'and', 'or', 'not']

class Refused extends Error {
  readonly problem: Problem
  constructor(message: string, at: Position) {
    super(message)
    this.problem = { message, at }
  }
}

const describe = (t: Token): string => {
  if (t.kind === 'end') return 'the end of the script'
  if (t.kind === 'string') return 'a string'
  if (t.kind === 'operator') return `'${t.operator}'`
  return `'${t.text}'`
}

/** Recursive descent over docs/filters.md §1. The result carries positions for messages; compilation checks names. */
class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0
  #tests = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get done(): boolean {
    return this.#peek().kind === 'end'
  }

  finish(what: string): void {
    const left = this.#peek()
    if (left.kind !== 'end') throw new Refused(`${describe(left)} may not follow ${what}.`, left.at)
  }

  #peek(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1)
    if (!token) throw new Error('a token list ends with an end token')
    return token
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #isMark(text: string): boolean {
    const t = this.#peek()
    return t.kind === 'mark' && t.text === text
  }

  #isWord(word: string): boolean {
    const t = this.#peek()
    return t.kind === 'word' && t.text.toLowerCase() === word
  }

  #skip(text: string): boolean {
    const hit = this.#isMark(text)
    if (hit) this.#at++
    return hit
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new Refused(`Expected '${text}' before ${describe(this.#peek())}.`, this.#peek().at)
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new Refused('The filter is nested too deep.', this.#peek().at)
    const value = read()
    this.#depth--
    return value
  }

  filter(): Filter {
    const name = this.#next()
    if (name.kind !== 'word') throw new Refused(`Expected the name of a filter before ${describe(name)}.`, name.at)
    if (KEYWORDS.includes(name.text.toLowerCase()))
      throw new Refused(`'${name.text}' is a reserved word: a filter begins with its name and ':'.`, name.at)
    const active = this.#skip(':')
    if (!active && !this.#skip('!'))
      throw new Refused(`Expected ':' or '!' after the filter name '${name.text}'.`, this.#peek().at)
    this.#tests = 0
    return { name: name.text, active, body: this.body(), at: name.at }
  }

  body(): If {
    const start = this.#peek()
    if (!this.#isWord('if')) throw new Refused(`Expected 'if' before ${describe(start)}.`, start.at)
    this.#at++
    const test = this.expression()
    const then = this.#block()
    if (!this.#isWord('else')) return { kind: 'if', test, then, otherwise: null }
    this.#at++
    const otherwise = this.#isWord('if') ? [this.#nested(() => this.body())] : this.#block()
    return { kind: 'if', test, then, otherwise }
  }

  #block(): readonly Statement[] {
    this.#expect('{')
    const statements: Statement[] = []
    for (;;) {
      if (this.#skip('}')) return statements
      if (this.#skip(';')) continue
      if (this.#isWord('if')) statements.push(this.#nested(() => this.body()))
      else {
        statements.push(this.action())
        if (!this.#isMark('}')) this.#expect(';')
      }
    }
  }

  action(): ActionCall {
    const name = this.#next()
    if (name.kind !== 'word') throw new Refused(`Expected an action before ${describe(name)}.`, name.at)
    return { kind: 'action', name: canonicalName(name.text), args: this.#arguments(), at: name.at }
  }

  expression(): Expression {
    let left = this.#conjunction()
    while (this.#isWord('or')) {
      this.#at++
      left = { kind: 'or', left, right: this.#conjunction() }
    }
    return left
  }

  #conjunction(): Expression {
    let left = this.#negation()
    while (this.#isWord('and')) {
      this.#at++
      left = { kind: 'and', left, right: this.#negation() }
    }
    return left
  }

  #negation(): Expression {
    if (this.#isWord('not')) {
      this.#at++
      return { kind: 'not', operand: this.#nested(() => this.#negation()) }
    }
    if (!this.#skip('(')) return this.#test()
    const inner = this.#nested(() => this.expression())
    this.#expect(')')
    return inner
  }

  #test(): Test {
    const name = this.#next()
    if (name.kind !== 'word' || KEYWORDS.includes(name.text.toLowerCase()))
      throw new Refused(`Expected a rule before ${describe(name)}.`, name.at)
    if (++this.#tests > MAX_TESTS) throw new Refused('The filter has too many rules.', name.at)
    const args = this.#isMark('(') ? this.#arguments() : null
    const op = this.#peek()
    if (op.kind !== 'operator')
      return { kind: 'test', rule: canonicalName(name.text), args, comparison: null, at: name.at }
    this.#at++
    const value = this.#argument()
    const comparison = { operator: op.operator, value }
    return { kind: 'test', rule: canonicalName(name.text), args, comparison, at: name.at }
  }

  #arguments(): readonly Argument[] {
    this.#expect('(')
    const args: Argument[] = []
    if (this.#skip(')')) return args
    do args.push(this.#argument())
    while (this.#skip(','))
    this.#expect(')')
    return args
  }

  #argument(): Argument {
    const t = this.#next()
    switch (t.kind) {
      case 'string':
        return { kind: 'string', text: t.text }
      case 'number':
        return { kind: 'number', value: t.value, text: t.text }
      case 'word':
        return { kind: 'word', text: t.text }
      case 'operator':
        return { kind: 'operator', operator: t.operator }
      default:
        if (t.kind === 'mark' && t.text === '[') return { kind: 'list', items: this.#items() }
        throw new Refused(`Expected a value before ${describe(t)}.`, t.at)
    }
  }

  #items(): readonly string[] {
    const items: string[] = []
    do {
      const t = this.#next()
      if (t.kind !== 'string') throw new Refused(`Expected a string in the list before ${describe(t)}.`, t.at)
      items.push(t.text)
    } while (this.#skip(','))
    this.#expect(']')
    return items
  }
}

const parse = <T>(source: string, read: (parser: Parser) => T): Result<T, Problem> => {
  const tokens = tokenize(source)
  if (!tokens.ok) return tokens
  const parser = new Parser(tokens.value)
  try {
    return ok(read(parser))
  } catch (error) {
    if (error instanceof Refused) return fail(error.problem)
    throw error
  }
}

/** One or more filters, one after another. */
export const parseScript = (source: string): Result<readonly Filter[], Problem> =>
  parse(source, (parser) => {
    const filters: Filter[] = []
    do filters.push(parser.filter())
    while (!parser.done)
    return filters
  })

const only =
  <T>(read: (parser: Parser) => T, what: string) =>
  (source: string): Result<T, Problem> =>
    parse(source, (parser) => {
      const value = read(parser)
      parser.finish(what)
      return value
    })

/** A filter from `if` on, as a configuration keeps it. */
export const parseBody = only((p) => p.body(), 'the filter')
/** A condition of a content filter. */
export const parseCondition = only((p) => p.expression(), 'the condition')
/** An action of a content filter. */
export const parseAction = only((p) => p.action(), 'the action')
