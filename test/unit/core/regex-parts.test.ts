import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/core/regex.ts'
import { regexParts } from '../../../src/core/regex-parts.ts'

describe('what a regular expression tells before it runs', () => {
  it.each([
    ['MID 7 done', 'MID 7 done'],
    ['MID [0-9]+ done', ' done'],
    ['<a\\.b@x>', '<a.b@x>'],
    ['<a.b@example>', 'b@example>'],
    ['^Start MID', 'Start MID'],
    ['(?:queued for|sent) delivery', ' delivery'],
    ['(a+)+$', 'a'],
    ['ab*c', 'a'],
    ['ab?cd', 'cd'],
    ['a{0,3}bc', 'bc'],
    ['(abc)+x', 'abc'],
    ['x|yy', ''],
    ['', ''],
  ])('%s holds %s in every match', (source, literal) => {
    expect(regexParts(source)?.literal).toBe(literal)
  })

  it.each(['(?i)a', '\\pL', '[[:alpha:]]', 'a{30}', '\\Qa.b\\E', '[a', ')', '(?P<n>a)', 'a**', '[\\d-z]', '^*'])(
    'leaves %s to the other engine',
    (source) => {
      expect(regexParts(source)).toBeNull()
    },
  )

  it('lets V8 have long texts only where no text makes it slow', () => {
    expect(regexParts('MID \\d\\d')?.safeLength).toBeGreaterThan(10_000)
    expect(regexParts('MID .* done')?.safeLength).toBe(2048)
    for (const bad of ['(a+)+$', '(a|a)*b', '(a|ab)+c', '(a*)*', 'a*a*a*b', '((a?)+)+', '(a{1,9}){1,9}x', '(.*a){9}'])
      expect(regexParts(bad)?.safeLength, bad).toBe(0)
  })

  it('counts the ways through alternatives and optional parts, which multiply', () => {
    const some = regexParts('(Info|Warning): MID')?.safeLength ?? 0
    expect(some).toBeGreaterThan(10_000)
    expect(some).toBeLessThan(regexParts('Info: MID')?.safeLength ?? 0)
    for (const bad of ['(a|a)'.repeat(12), `${'a?'.repeat(12)}b`, '(a|a){12}b', '(a?){12}b', 'a{0,15}a{0,15}a{0,15}b'])
      expect(regexParts(bad)?.safeLength, bad).toBe(0)
  })

  const piece = fc.constantFrom(
    ...['a', 'b', 'A', '.', '\\.', '\\d', '\\w', '\\s', '\\S', '\\W', '[ab]', '[^ab]', '[\\d.]', '^', '$', '\\b'],
    ...['(a|b)', '(?:ab)', '(b', ')', '|', '*', '+', '?', '{1,2}', '/', 'é', '-', '\\-', '7'],
  )
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'A', '.', '7', ' ', '_', 'é', '/', '-', '\t'),
    maxLength: 12,
  })

  it('agrees with the linear engine on every line, and its text is in every match', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), text, fc.boolean(), (pieces, line, ignoreCase) => {
        const source = pieces.join('')
        const parts = regexParts(source)
        const linear = compilePattern(source, { ignoreCase })
        if (parts === null || !linear.ok) return
        const hit = linear.value.test(line)
        expect(new RegExp(parts.source, ignoreCase ? 'miu' : 'mu').test(line), source).toBe(hit)
        if (hit && !ignoreCase) expect(line.includes(parts.literal), source).toBe(true)
        if (parts.plain && !ignoreCase) expect(line.includes(parts.literal), source).toBe(hit)
      }),
      { numRuns: 1000 },
    )
  })

  it('never matches across lines', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), text, text, (pieces, first, second) => {
        const parts = regexParts(pieces.join(''))
        if (parts === null) return
        const m = new RegExp(parts.source, 'mu').exec(`${first}\n${second}`)
        expect(m?.[0] ?? '', pieces.join('')).not.toContain('\n')
      }),
      { numRuns: 1000 },
    )
  })
})
