import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionCall, Argument, Expression, Filter, If, Statement } from '../../../../src/mail/filter/ast.ts'
import { OPERATORS, problemText } from '../../../../src/mail/filter/ast.ts'
import { compileBody } from '../../../../src/mail/filter/compile.ts'
import { parseBody, parseScript } from '../../../../src/mail/filter/parser.ts'
import { printBody, printFilter } from '../../../../src/mail/filter/print.ts'
import type { Resources } from '../../../../src/mail/filter/resources.ts'

const script = (text: string): readonly Filter[] => {
  const parsed = parseScript(text)
  if (!parsed.ok) throw new Error(problemText(parsed.error))
  return parsed.value
}
const refused = (text: string): string => {
  const parsed = parseScript(text)
  return parsed.ok ? 'accepted' : problemText(parsed.error)
}
const resources: Resources = {
  hasQuarantine: (name) => name === 'Policy',
  hasListener: (name) => name === 'IncomingMail',
  domainList: (name) => (name === 'domain_exception_list' ? () => true : undefined),
  urlList: (name) => (name === 'bypass' ? () => true : undefined),
}
const compileProblem = (text: string): string | null => {
  const body = parseBody(text)
  if (!body.ok) return problemText(body.error)
  const compiled = compileBody(body.value, resources)
  return compiled.ok ? null : problemText(compiled.error)
}
const strip = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, v: unknown) => (key === 'at' ? undefined : v)))

describe('the filter language', () => {
  it('reads what the guides print: blanks, no parentheses, mixed case, underscores, comments, a last dot', () => {
    const [a, b, c] = script(
      `one: if true{skip_filters();}\n# a comment\n  two! if (Subject == "a") OR (not valid) {\n  # inside\n drop ();}\n` +
        `three: if header ("From") { if rcpt-count > 5 { no-op() } else if random(2) { drop(); } }\n.\n`,
    )
    expect(a && printFilter(a)).toBe('one: if (true) {\n    skip-filters();\n}')
    expect(b && printFilter(b)).toBe('two! if (subject == "a" OR not valid) {\n    drop();\n}')
    expect(c && printFilter(c)).toContain('    else {\n        if (random(2)) {\n            drop();\n        }\n    }')
  })

  it('binds not before and before or, and groups to the left', () => {
    const [f] = script('x: if true or true and not valid and (valid or true) {}')
    expect(f && printBody(f.body)).toBe('if (true OR true AND not valid AND (valid OR true)) {\n}')
  })

  it('takes a backslash once: an escaped quote is a quote, other escapes stay for the regular expression', () => {
    const [f] = script(`x: if subject == "a\\\\.b \\"q\\" \\d" { no-op(); }`)
    expect(f?.body.test).toMatchObject({ comparison: { value: { text: 'a\\.b "q" \\d' } } })
  })

  it('says where a script is wrong', () => {
    expect(refused('x: if true { drop() ')).toBe("Expected ';' before the end of the script. (line 1, column 21)")
    expect(refused('x: if subject == "a {\n}')).toBe(
      'A string is not closed: its quote has no partner. (line 1, column 18)',
    )
    expect(refused('x if true {}')).toBe("Expected ':' or '!' after the filter name 'x'. (line 1, column 3)")
    expect(refused('x: if true {}\ny: if ] {}')).toBe("Expected a rule before ']'. (line 2, column 7)")
    expect(refused(`x: if ${'('.repeat(5000)}true`)).toMatch(/nested too deep/)
  })

  it('names an unknown rule, action, list or quarantine with its place', () => {
    expect(compileProblem('if subjekt == "a" { drop(); }')).toBe("There is no rule 'subjekt'. (line 1, column 4)")
    expect(compileProblem('if true { dropp(); }')).toBe(
      "There is no action 'dropp'. Did you mean 'drop'? (line 1, column 11)",
    )
    expect(compileProblem('if true {\n quarantine("Polcy"); }')).toBe(
      "There is no quarantine 'Polcy'. Names are case-sensitive. (line 2, column 2)",
    )
    expect(compileProblem('if sdr-unscannable("nobody") { drop(); }')).toMatch(/no address list of domains 'nobody'/)
    expect(compileProblem('if url-reputation(-10, -6, "none") { drop(); }')).toMatch(/no URL list 'none'/)
    expect(compileProblem('if recv-listener == "x" { drop(); }')).toMatch(/no listener 'x'/)
    expect(compileProblem('if subject == "(" { drop(); }')).toMatch(/regular expression is not valid/)
  })

  it('accepts the conditions of the second reference document as it writes them', () => {
    for (const condition of [
      "sdr-reputation (['awful', 'poor', 'tainted', 'weak', 'unknown', 'neutral', 'good'], domain_exception_list)",
      `sdr-reputation (['awful', 'poor'], "domain_exception_list")`,
      'sdr-age ("days", <, 5, domain_exception_list)',
      '(sdr-age ("unknown", ""))',
      '(sdr-age ("months", <, 1, ""))',
      'sdr-unscannable (domain_exception_list)',
      '(sdr-unscannable (""))',
      `sdr-reputation(['untrusted', 'questionable', 'favorable', 'trusted'], "")`,
    ])
      expect([condition, compileProblem(`if ${condition} { quarantine("Policy"); }`)]).toEqual([condition, null])
  })

  const word = fc.constantFrom('true', 'subject', 'x', 'a_b', 'rule-1', 'list9')
  const text = fc.string({ maxLength: 12 })
  const argument: fc.Arbitrary<Argument> = fc.oneof(
    text.map((t): Argument => ({ kind: 'string', text: t })),
    fc.integer({ min: -999, max: 999 }).map((n): Argument => ({ kind: 'number', value: n, text: String(n) })),
    fc.array(text, { minLength: 1, maxLength: 3 }).map((items): Argument => ({ kind: 'list', items })),
    word.map((t): Argument => ({ kind: 'word', text: t })),
    fc.constantFrom(...OPERATORS).map((operator): Argument => ({ kind: 'operator', operator })),
  )
  const at = { line: 1, column: 1 }
  const name = word.map((w) => w.replaceAll('_', '-'))
  const action: fc.Arbitrary<ActionCall> = fc.record({
    kind: fc.constant('action' as const),
    name,
    args: fc.array(argument, { maxLength: 3 }),
    at: fc.constant(at),
  })
  const value = argument.filter((a) => a.kind !== 'operator')
  const { body } = fc.letrec<{ expression: Expression; body: If; statement: Statement }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4 },
      fc.record({
        kind: fc.constant('test' as const),
        rule: name,
        args: fc.option(fc.array(argument, { maxLength: 3 })),
        comparison: fc.option(fc.record({ operator: fc.constantFrom(...OPERATORS), value })),
        at: fc.constant(at),
      }),
      fc.record({ kind: fc.constant('not' as const), operand: tie('expression') }),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        left: tie('expression'),
        right: tie('expression'),
      }),
    ),
    statement: fc.oneof({ maxDepth: 3 }, action, tie('body')),
    body: fc.record({
      kind: fc.constant('if' as const),
      test: tie('expression'),
      then: fc.array(tie('statement'), { maxLength: 3 }),
      otherwise: fc.option(fc.array(tie('statement'), { maxLength: 2 })),
    }),
  }))

  it('prints what it reads back as the same tree', () => {
    fc.assert(
      fc.property(body, (tree) => {
        const parsed = parseBody(printBody(tree))
        if (!parsed.ok) throw new Error(`${problemText(parsed.error)}\n${printBody(tree)}`)
        expect(strip(parsed.value)).toEqual(strip(tree))
      }),
      { numRuns: 300 },
    )
  })

  it('answers any input with a tree or a problem, quickly', () => {
    const piece = fc.constantFrom(
      'if',
      '(',
      ')',
      '{',
      '}',
      '"',
      "'",
      'x:',
      'not',
      'and',
      '==',
      '-1k',
      '[',
      ',',
      '\\',
      '#',
      '\n',
      '.',
      ' ',
      'true',
      ';',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece, { maxLength: 60 }).map((p) => p.join('')),
        ),
        (input) => {
          expect(typeof parseScript(input).ok).toBe('boolean')
        },
      ),
      { numRuns: 1000 },
    )
  })
})
