import { RE2JS } from 're2js'
import { errorText } from './errors.ts'
import { fail, ok } from './result.ts'
import type { Result } from './result.ts'

/**
 * Patterns that operators type (grep, findevent, filters). V8 backtracks, so `(a+)+$` would stall every session and
 * every mail for minutes (lessons.md, fault 26); these run in time linear in the text. Plain literals, also with `.*`
 * between them, need no engine at all.
 */
export interface Pattern {
  readonly source: string
  readonly ignoreCase: boolean
  /** The text contains a match. */
  test(text: string): boolean
  /** Every match, left to right, replaced; `\1`…`\9` and `\g<0>` in the replacement stand for groups (Python's re.sub). */
  replace(text: string, replacement: string): string
  /** Where the matches are, for colouring and for rewriting; empty matches are left out. */
  matches(text: string, limit: number): readonly { readonly start: number; readonly end: number }[]
}

export interface PatternOptions {
  readonly ignoreCase?: boolean
}

const MAX_SOURCE = 1024
/** Instructions; time is text × this, and a body may have megabytes. */
const MAX_PROGRAM = 4000
const META = /[\\^$.|?*+()[\]{}]/

/** `lit`, `lit.*lit` → its literals; null = needs the engine. */
const literals = (source: string): readonly string[] | null => {
  const parts = source.split('.*')
  return parts.some((p) => META.test(p)) ? null : parts
}

/** `.` does not match a line feed, so a text with one is left to the engine. */
const containsInOrder = (text: string, parts: readonly string[]): boolean => {
  let from = 0
  for (const part of parts) {
    const at = text.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return true
}

const reason = (error: unknown): string => errorText(error).replace(/^error parsing regexp: /, '')

/** A pattern, or one line that says what is wrong with it. Look-around and back references do not exist in this engine. */
export const compilePattern = (source: string, options: PatternOptions = {}): Result<Pattern> => {
  const ignoreCase = options.ignoreCase ?? false
  if (source.length > MAX_SOURCE) return fail(`The regular expression must have at most ${MAX_SOURCE} characters.`)
  let engine: RE2JS
  try {
    engine = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
  } catch (error) {
    return fail(`The regular expression is not valid: ${reason(error)}.`)
  }
  if (engine.programSize() > MAX_PROGRAM)
    return fail('The regular expression is too large: use smaller repeat counts or fewer alternatives.')
  const plain = ignoreCase ? null : literals(source)
  return ok({
    source,
    ignoreCase,
    test: (text) => (plain && !text.includes('\n') ? containsInOrder(text, plain) : engine.test(text)),
    replace: (text, replacement) => replaceAll(engine, text, replacement),
    matches: (text, limit) => {
      const found: { start: number; end: number }[] = []
      const m = engine.matcher(text)
      while (found.length < limit && m.find()) if (m.end() > m.start()) found.push({ start: m.start(), end: m.end() })
      return found
    },
  })
}

const replaceAll = (engine: RE2JS, text: string, replacement: string): string => {
  const m = engine.matcher(text)
  let out = ''
  let from = 0
  while (m.find()) {
    const groups = m.groupCount()
    out += text.slice(from, m.start())
    out += replacement.replace(/\\(?:g<(\d{1,2})>|([1-9])|(\\))/g, (_all, long?: string, short?: string) => {
      const n = long ?? short
      if (n === undefined) return '\\'
      return Number(n) <= groups ? (m.group(Number(n)) ?? '') : ''
    })
    from = m.end()
  }
  return out + text.slice(from)
}
