import { fail, ok } from '../../core/result.ts'
import type { Result } from '../../core/result.ts'
import { OPERATORS } from './ast.ts'
import type { Operator, Position, Problem } from './ast.ts'

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: Position }
  | { readonly kind: 'string'; readonly text: string; readonly at: Position }
  | { readonly kind: 'number'; readonly value: number; readonly text: string; readonly at: Position }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly at: Position }
  | { readonly kind: 'mark'; readonly text: string; readonly at: Position }
  | { readonly kind: 'end'; readonly at: Position }

const WORD = /[A-Za-z_][A-Za-z0-9_-]*/y
const NUMBER = /(-?\d{1,15}(?:\.\d{1,6})?)([bkKmMgG](?![A-Za-z0-9_]))?/y
const COMMENT = /[ \t]*#[^\n]*/y
/** The `.` that ends pasted text is no part of the language. */
const END_DOT = /[ \t]*\.[ \t]*(?=\r?\n|$)/y
const SUFFIX: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

export const tokenize = (source: string): Result<readonly Token[], Problem> => {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  const here = (): Position => ({ line, column: at - lineStart + 1 })
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  const newLine = (): void => {
    line++
    lineStart = at
  }

  while (at < source.length) {
    if (at === lineStart) {
      const skipped = take(COMMENT) ?? take(END_DOT)
      if (skipped && skipped[0] !== '') {
        at += skipped[0].length
        continue
      }
    }
    const c = source.charAt(at)
    if (c === '\n') {
      at++
      newLine()
    } else if (/\s/.test(c)) at++
    else if (c === '"' || c === "'") {
      const start = here()
      const string = readString(source, at)
      if (string === null) return fail({ message: 'A string is not closed: its quote has no partner.', at: start })
      tokens.push({ kind: 'string', text: string.text, at: start })
      for (const lf of source.slice(at, string.end).matchAll(/\n/g)) {
        line++
        lineStart = at + lf.index + 1
      }
      at = string.end
    } else {
      const token = readToken(source, at, here(), take)
      if (!token) return fail({ message: `The character '${c}' has no meaning here.`, at: here() })
      tokens.push(token.token)
      at = token.end
    }
  }
  tokens.push({ kind: 'end', at: here() })
  return ok(tokens)
}

const readToken = (
  source: string,
  at: number,
  position: Position,
  take: (pattern: RegExp) => RegExpExecArray | null,
): { readonly token: Token; readonly end: number } | null => {
  const number = take(NUMBER)
  if (number) {
    const factor = SUFFIX[(number[2] ?? 'b').toLowerCase()] ?? 1
    const token = { kind: 'number', value: Number(number[1]) * factor, text: number[0], at: position } as const
    return { token, end: at + number[0].length }
  }
  const word = take(WORD)
  if (word) return { token: { kind: 'word', text: word[0], at: position }, end: at + word[0].length }
  const operator = OPERATORS.find((o) => source.startsWith(o, at))
  if (operator) return { token: { kind: 'operator', operator, at: position }, end: at + operator.length }
  const mark = source.charAt(at)
  return '(){}[],;:!'.includes(mark) ? { token: { kind: 'mark', text: mark, at: position }, end: at + 1 } : null
}

/** `\\` and an escaped quote are taken here; any other escape stays whole for the regular expression (Python style). */
const readString = (source: string, start: number): { readonly text: string; readonly end: number } | null => {
  const quote = source.charAt(start)
  let text = ''
  for (let i = start + 1; i < source.length; i++) {
    const c = source.charAt(i)
    if (c === quote) return { text, end: i + 1 }
    const next = source.charAt(i + 1)
    if (c === '\\' && (next === '\\' || next === '"' || next === "'")) {
      text += next
      i++
    } else text += c
  }
  return null
}
