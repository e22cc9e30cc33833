import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, canonicalUrl } from '../../src/intel/url/canonical.ts'
import { urlKeys } from '../../src/intel/url/expressions.ts'

const bits = fc.constantFrom(
  '%',
  '25',
  '2',
  '5',
  '/',
  '..',
  '.',
  '?',
  '#',
  '\\',
  '@',
  ':',
  'a',
  'Z',
  'é',
  '。',
  '%2F',
  '%3f',
  '%5C',
  '%00',
  '0x7f',
  '[',
  ']',
  ' ',
)
const url = fc.array(bits, { maxLength: 30 }).map((parts) => `http://h${parts.join('')}`)

describe('the canonical form of a URL', () => {
  it('is its own canonical form', () => {
    fc.assert(
      fc.property(url, (text) => {
        const once = canonicalUrl(text)
        if (once === null) return
        const twice = canonicalUrl(`http://${canonicalText(once)}`)
        expect(twice).toEqual(once)
        expect(urlKeys(once).length).toBeLessThanOrEqual(30)
        expect(urlKeys(once)).toContain(once.host + once.path)
      }),
      { numRuns: 5000 },
    )
  })
  it('costs time in proportion to the URL, however often it is escaped', () => {
    const time = (length: number): number => {
      const start = performance.now()
      canonicalUrl(`http://h/%${'25'.repeat(length / 2)}`)
      return performance.now() - start
    }
    time(50_000)
    const small = Math.min(time(50_000), time(50_000), time(50_000))
    expect(time(400_000)).toBeLessThan(Math.max(small, 4) * 8 * 3.5)
  })
})
