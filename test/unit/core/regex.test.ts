import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/core/regex.ts'
import type { Pattern } from '../../../src/core/regex.ts'

const pattern = (source: string, ignoreCase = false): Pattern => {
  const compiled = compilePattern(source, { ignoreCase })
  if (!compiled.ok) throw new Error(compiled.error)
  return compiled.value
}

describe('compilePattern', () => {
  it.each([
    ['Sender Reputation: Awful', 'SDR: Consolidated Sender Reputation: Awful, Threat', true],
    ['Sender Reputation: Awful', 'SDR: Consolidated Sender Reputation: Poor', false],
    ['SDR.*Poor', 'MID 1 SDR: Consolidated Sender Reputation: Poor', true],
    ['SDR.*Poor', 'Poor SDR', false],
    ['aa.*aa', 'aaa', false],
    ['a.*b', 'a\nb', false],
    ['a.*b', 'a\nab', true],
    ['', 'anything', true],
    ['^MID [0-9]+ ', 'MID 63280 ready', true],
    ['(Poor|Awful)$', 'Poor ', false],
  ])('%s on %s gives %s', (source, text, hit) => {
    expect(pattern(source).test(text)).toBe(hit)
  })

  it('ignores case when asked', () => {
    expect(pattern('awful', true).test('AWFUL')).toBe(true)
    expect(pattern('awful').test('AWFUL')).toBe(false)
  })

  it('answers at once where a backtracking engine would need minutes', () => {
    expect(pattern('(a+)+$').test(`${'a'.repeat(50_000)}!`)).toBe(false)
  })

  it('replaces with the groups that the replacement names', () => {
    expect(pattern('(\\w+)@(\\w+)').replace('joe@home, ann@work', '\\2:\\1')).toBe('home:joe, work:ann')
    expect(pattern('b(c)?').replace('abd', '[\\1]\\\\')).toBe('a[]\\d')
  })

  it('gives back the places of matches, up to a limit', () => {
    expect(pattern('a+').matches('aa b a', 9)).toEqual([
      { start: 0, end: 2 },
      { start: 5, end: 6 },
    ])
    expect(pattern('a').matches('aaaa', 2)).toHaveLength(2)
  })

  it.each([
    '[',
    '(?=x)',
    '(a)\\1',
    'a{2000}',
    `${'x'.repeat(2000)}`,
    '(?:[a-z]{900}|[0-9]{900}){1}(?:[a-z]{900}|[0-9]{900}|[A-Z]{999})',
  ])('says in one line what is wrong with %s', (source) => {
    const result = compilePattern(source)
    expect(result).toMatchObject({ ok: false })
    expect(result.ok ? '' : result.error).toMatch(/^The regular expression [^\n]+\.$/)
  })
})
