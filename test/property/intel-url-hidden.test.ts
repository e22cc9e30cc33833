import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defangUrl } from '../../src/core/defang.ts'
import { canonicalText, canonicalUrl } from '../../src/intel/url/canonical.ts'
import { extractUrls } from '../../src/intel/url/extract.ts'
import { hiddenTargets } from '../../src/intel/url/targets.ts'

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/)
const host = fc.tuple(label, label, fc.constantFrom('com', 'co.uk', 'example', 'xyz')).map((l) => l.join('.'))
const path = fc.stringMatching(
  /^(?:\/[A-Za-z0-9_~-]{1,8}){0,3}(?:\/[A-Za-z0-9_-]{1,8}\.html)?(?:\?[a-z]{1,5}=[A-Za-z0-9]{1,8})?$/,
)
const url = fc.tuple(fc.constantFrom('http://', 'https://'), host, path).map((p) => p.join(''))

const canonical = (text: string): string => {
  const c = canonicalUrl(text)
  return c === null ? '' : canonicalText(c)
}

describe('what is hidden in a text', () => {
  it('is found again after our own defanging', () => {
    fc.assert(
      fc.property(
        url,
        fc.constantFrom('', 'see ', '(', '"'),
        fc.constantFrom('', '.', ' now', ')'),
        (u, before, after) => {
          const found = extractUrls({ kind: 'text', content: `${before}${defangUrl(u)}${after}` }, 20)
          expect(found.map((f) => canonical(f.url))).toContain(canonical(u))
          for (const f of found) expect(f.hidden).toBe('defanged')
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is found again in the query of another URL, however often it was escaped', () => {
    fc.assert(
      fc.property(url, fc.integer({ min: 1, max: 4 }), (u, layers) => {
        let value = u
        for (let i = 0; i < layers; i++) value = encodeURIComponent(value)
        expect(hiddenTargets(`http://a.example/?x=1&go=${value}&y=2`).map((t) => t.url)).toContain(u)
      }),
      { numRuns: 500 },
    )
  })

  it('never crashes, and is limited', () => {
    const bit = fc.constantFrom(
      'http://',
      'http:',
      '%',
      '25',
      '3A',
      '2F',
      '/v3/__',
      '__;',
      '!',
      '*',
      '**',
      '?u=',
      '&',
      '#',
      'a1',
      'aHR0c',
      '//',
      '[.]',
      '\ue000',
      'urldefense.com',
      'www.',
    )
    fc.assert(
      fc.property(
        fc.array(bit, { maxLength: 60 }).map((b) => b.join('')),
        (text) => {
          for (const start of ['http://a.example/', 'https://urldefense.com/v3/__', 'https://www.google.com/url?q='])
            expect(hiddenTargets(start + text).length).toBeLessThanOrEqual(16)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
