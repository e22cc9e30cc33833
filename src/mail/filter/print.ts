import type { ActionCall, Argument, Expression, Filter, If, Statement, Test } from './ast.ts'

/** Prints what the parser reads back as the same tree; the form of `filters -> DETAIL`. Comments are not kept. */
export const printString = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

const printArgument = (a: Argument): string => {
  if (a.kind === 'string') return printString(a.text)
  if (a.kind === 'list') return `[${a.items.map(printString).join(', ')}]`
  return a.kind === 'operator' ? a.operator : a.text
}

const printArguments = (args: readonly Argument[]): string => `(${args.map(printArgument).join(', ')})`

const printTest = (t: Test): string => {
  const head = t.args === null ? t.rule : `${t.rule}${printArguments(t.args)}`
  return t.comparison === null ? head : `${head} ${t.comparison.operator} ${printArgument(t.comparison.value)}`
}

const RANK = { or: 0, and: 1, not: 2, test: 3 } as const

export const printExpression = (e: Expression): string => {
  // Groups to the left, so only a right operand of the same rank needs its parentheses.
  const inside = (child: Expression, rank: number): string => {
    const text = printExpression(child)
    return RANK[child.kind] < rank ? `(${text})` : text
  }
  if (e.kind === 'test') return printTest(e)
  if (e.kind === 'not') return `not ${inside(e.operand, RANK.not)}`
  return `${inside(e.left, RANK[e.kind])} ${e.kind.toUpperCase()} ${inside(e.right, RANK[e.kind] + 1)}`
}

export const printAction = (a: ActionCall): string => `${a.name}${printArguments(a.args)}`

const printBlock = (statements: readonly Statement[], indent: string): string =>
  `{\n${statements
    .map((s) => `${indent}    ${s.kind === 'if' ? printIf(s, `${indent}    `) : `${printAction(s)};`}\n`)
    .join('')}${indent}}`

const printIf = (s: If, indent: string): string => {
  const otherwise = s.otherwise === null ? '' : `\n${indent}else ${printBlock(s.otherwise, indent)}`
  return `if (${printExpression(s.test)}) ${printBlock(s.then, indent)}${otherwise}`
}

/** From `if` on. */
export const printBody = (body: If): string => printIf(body, '')

export const printFilter = (filter: Pick<Filter, 'name' | 'active' | 'body'>): string =>
  `${filter.name}${filter.active ? ':' : '!'} ${printBody(filter.body)}`
