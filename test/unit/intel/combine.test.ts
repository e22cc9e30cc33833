import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/intel/combine.ts'
import { parseIndicator, scopesOf } from '../../../src/intel/indicator.ts'
import { levelOfWord, scoreOf, threatLevelOf } from '../../../src/intel/levels.ts'
import type { Opinion } from '../../../src/intel/verdict.ts'
import { SENDER_LEVELS } from '../../../src/events/levels.ts'

const said = (source: string, indicator: string, level: Opinion['level'], day = 1): Opinion => ({
  indicator,
  kind: indicator.includes('/') ? 'url' : 'domain',
  level,
  category: null,
  ageDays: null,
  source,
  reason: '',
  asOf: new Date(Date.UTC(2022, 2, day)),
})
const verdict = (url: string, ...opinions: readonly Opinion[]) => {
  const parsed = parseIndicator(url)
  if (!parsed.ok) throw new Error(parsed.error)
  const scopes = scopesOf(parsed.value)
  const place = (o: Opinion): number => scopes.findIndex((s) => s.kind === o.kind && s.key === o.indicator)
  return decide(opinions.map((opinion) => ({ opinion, place: place(opinion) })))
}
const PAGE = 'http://www.example.com/a/b?c=d'

describe('the rule that decides', () => {
  it('is unknown without opinions', () => {
    expect(verdict(PAGE)).toMatchObject({ level: 'unknown', because: null })
  })
  it('takes the worst of the sources', () => {
    expect(verdict(PAGE, said('a', 'example.com', 'trusted'), said('b', 'www.example.com/', 'awful')).level).toBe(
      'awful',
    )
  })
  it('lets each source speak by its narrowest opinion', () => {
    const d = verdict(PAGE, said('a', 'example.com', 'awful'), said('a', 'www.example.com/a/b', 'neutral'))
    expect(d).toMatchObject({ level: 'neutral', because: { indicator: 'www.example.com/a/b' } })
  })
  it("puts the operator's own narrowest opinion before everything", () => {
    const d = verdict(
      PAGE,
      said('feed', 'www.example.com/a/b?c=d', 'awful'),
      said('operator', 'example.com', 'trusted'),
      said('operator', 'www.example.com', 'favorable'),
    )
    expect(d).toMatchObject({ level: 'favorable', because: { source: 'operator', indicator: 'www.example.com' } })
    expect(d.opinions).toHaveLength(3)
    expect(d.opinions[0]).toBe(d.because)
  })
  it('prefers the narrower, then the newer of equal opinions', () => {
    const narrow = said('b', 'www.example.com/a/', 'awful')
    expect(verdict(PAGE, said('a', 'example.com', 'awful', 9), narrow).because).toBe(narrow)
    const newer = said('b', 'example.com', 'awful', 9)
    expect(verdict(PAGE, said('a', 'example.com', 'awful', 1), newer).because).toBe(newer)
  })
})

describe('indicators', () => {
  it.each([
    ['http://Example.com/a/../b?x#y', 'url', 'example.com/b?x'],
    ['example.com/path', 'url', 'example.com/path'],
    ['http://example.com', 'url', 'example.com/'],
    ['Example.COM.', 'domain', 'example.com'],
    ['bücher.example', 'domain', 'xn--bcher-kva.example'],
    ['192.0.2.1', 'domain', '192.0.2.1'],
    ['github.io', 'domain', 'github.io'],
  ])('%s is %s %s', (text, kind, key) => {
    expect(parseIndicator(text)).toMatchObject({ ok: true, value: { kind, key } })
  })
  it.each(['', 'com', 'co.uk', 'user@example.com', 'a b', '*.example.com', 'http://', 'x'.repeat(3000)])(
    '%s is none',
    (text) => {
      expect(parseIndicator(text)).toMatchObject({ ok: false })
    },
  )
})

describe('levels', () => {
  it('score inside the range of the level that is shown', () => {
    const ranges = {
      untrusted: [-10, -6],
      questionable: [-5.9, -3.1],
      neutral: [-3, 0],
      favorable: [0.1, 5.9],
      trusted: [6, 10],
    } as const
    for (const level of SENDER_LEVELS) {
      const shown = threatLevelOf(level)
      const score = scoreOf(level)
      if (shown === 'unknown') expect(score).toBeNull()
      else {
        expect(score).toBeGreaterThanOrEqual(ranges[shown][0])
        expect(score).toBeLessThanOrEqual(ranges[shown][1])
      }
    }
  })
  it('are known under their aliases, and under no name of Object.prototype', () => {
    expect(levelOfWord(' Malicious ')).toBe('awful')
    expect(levelOfWord('clean')).toBe('favorable')
    expect(levelOfWord('constructor')).toBeNull()
  })
})
