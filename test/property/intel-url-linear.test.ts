import { describe, expect, it } from 'vitest'
import { canonicalUrl } from '../../src/intel/url/canonical.ts'
import { extractUrls } from '../../src/intel/url/extract.ts'
import { hiddenTargets } from '../../src/intel/url/targets.ts'
import { cpuTime, operations } from '../support/operations.ts'

const of = (unit: string, size: number): string => unit.repeat(Math.ceil(size / unit.length))
const count = (work: () => void): number => operations('/src/intel/url/', work)

const UNITS: Readonly<Record<'text' | 'html', readonly string[]>> = {
  text: [
    ...[
      'http://a.com/x ',
      'http://',
      '<http://\n',
      'a.b@',
      'a.',
      'aaaaaaaa',
      ',http://a',
      'www.',
      '(((())',
      '[.]',
      'hxxp://a',
    ],
    ...[
      'BLOCKED',
      'BLOCKEDa[.]b',
      '\ue000',
      ' \r\n',
      'http://a.com/x?u=http://b.com/&',
      `${'x'.repeat(60)}http://a/\n`,
      'x\\.',
      '[:',
      '%25',
    ],
  ],
  html: [
    ...[
      '<!--[if',
      '<div>',
      '<a href="http://a.com/">',
      '<a x ',
      'url(',
      '<style>url("',
      '&amp',
      '<a href="x">',
      '<base href=http://a/>',
    ],
    ...[
      '<iframe srcdoc="',
      '<a href="data:text/html,',
      '<!--[if mso]><a href=http://a.com/><![endif]-->',
      '<svg><animate attributename=href to=x>',
    ],
  ],
}

describe.each(['text', 'html'] as const)('finding URLs in %s', (kind) => {
  it.each(UNITS[kind])('costs in proportion to the length when made of %j', (unit) => {
    const work = (size: number) => () => void extractUrls({ kind, content: of(unit, size) }, 1_000_000)
    work(10_000)()
    const small = count(work(10_000))
    expect(count(work(80_000))).toBeLessThan(Math.max(small, 200) * 8 * 2)
    // Regular expressions work out of sight of that count.
    const time = (size: number): number => Math.min(...[1, 2].map(() => cpuTime(work(size))))
    expect(time(200_000)).toBeLessThan(Math.max(time(25_000), 4) * 8 * 4)
  })
})

it('the canonical form and the targets of a URL cost in proportion to its length', () => {
  for (const unit of ['%25', '%2525', '/../a', 'a.', '//', '%', '\u200b', '?u=http://a/', '&u=aHR0cDovL2Eu']) {
    const canonical = (size: number) => () => void canonicalUrl(`http://a.example/${of(unit, size)}`)
    canonical(2000)()
    expect(count(canonical(80_000))).toBeLessThan(Math.max(count(canonical(10_000)), 200) * 8 * 2.5)
    const targets = (size: number) => () => void hiddenTargets(`http://a.example/${of(unit, size)}`)
    targets(1000)()
    expect(count(targets(8000))).toBeLessThan(Math.max(count(targets(2000)), 1000) * 4 * 2)
  }
})
