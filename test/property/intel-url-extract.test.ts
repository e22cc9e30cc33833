import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractUrls } from '../../src/intel/url/extract.ts'

const bits = fc.constantFrom(
  'http://',
  'https:\\\\',
  'www.',
  'a.com',
  '.',
  '/',
  '@',
  '<',
  '>',
  '<!--[if',
  ']>',
  '-->',
  '&amp;',
  '"',
  "'",
  '<a href=',
  'url(',
  '<base href="http://b/">',
  '(',
  ')',
  '%',
  '\u200b',
  '。',
  ' ',
  '\n',
  '\u0000',
  '\ud800',
  'x',
  ',http://',
  '[::1]',
  ':80',
  '#',
  '?',
)
const content = fc.array(bits, { maxLength: 60 }).map((parts) => parts.join(''))

describe('URL extraction', () => {
  it('never throws, keeps the limit, and finds only absolute URLs', () => {
    fc.assert(
      fc.property(content, fc.constantFrom('text' as const, 'html' as const), (text, kind) => {
        const found = extractUrls({ kind, content: text }, 10)
        expect(found.length).toBeLessThanOrEqual(10)
        for (const { url } of found) expect(url).toMatch(/^(?:https?|ftp):\/\/[^/]/)
      }),
      { numRuns: 2000 },
    )
  })
})
