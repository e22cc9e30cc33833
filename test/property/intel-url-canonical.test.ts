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
})
