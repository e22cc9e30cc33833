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

  const time = (kind: 'text' | 'html', text: string): number => {
    const start = performance.now()
    extractUrls({ kind, content: text }, 1_000_000)
    return performance.now() - start
  }

  it.each([
    ['text', 'http://a.com/x '],
    ['text', 'http://'],
    ['text', '<http://\n'],
    ['text', 'a.b@'],
    ['text', 'a.'],
    ['text', 'aaaaaaaa'],
    ['text', ',http://a'],
    ['text', 'www.'],
    ['text', '(((())'],
    ['html', '<!--[if'],
    ['html', '<div>'],
    ['html', '<a href="http://a.com/">'],
    ['html', '<a x '],
    ['html', 'url('],
    ['html', '<style>url("'],
    ['html', '&amp'],
  ] as const)('takes time in proportion to %s made of %j', (kind, unit) => {
    const of = (bytes: number): string => unit.repeat(Math.ceil(bytes / unit.length))
    time(kind, of(100_000))
    const small = Math.min(...[1, 2, 3].map(() => time(kind, of(100_000))))
    const large = time(kind, of(800_000))
    expect(large).toBeLessThan(Math.max(small, 4) * 8 * 3.5)
  })
})
