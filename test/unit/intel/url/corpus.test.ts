import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { canonicalText, canonicalUrl } from '../../../../src/intel/url/canonical.ts'
import { urlKeys } from '../../../../src/intel/url/expressions.ts'
import { extractUrls } from '../../../../src/intel/url/extract.ts'
import { hiddenTargets } from '../../../../src/intel/url/targets.ts'

const NAMED: Readonly<Record<string, string>> = { LF: '\n', CR: '\r', TAB: '\t', SP: ' ' }

const written = (text: string): string =>
  text.replace(/\{(?:([A-Z]{2,3})|U\+([0-9A-F]{4,6})|([a-z])\*(\d{1,4}))\}/g, (all, name, code, letter, times) => {
    if (name !== undefined) return NAMED[name as string] ?? all
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code as string, 16))
    return (letter as string).repeat(Number(times))
  })

const cases = (file: string): readonly (readonly [string, readonly string[]])[] =>
  readFileSync(new URL(`../../../../fixtures/urls/${file}.txt`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => {
      const at = line.lastIndexOf(' => ')
      const expected = line.slice(at + 4)
      return [line.slice(0, at), expected === 'nothing' ? [] : expected.split(' ')]
    })

const find = (kind: 'text' | 'html', content: string): readonly string[] => [
  ...new Set(extractUrls({ kind, content }, 100).map((f) => f.url)),
]

const RUN: Readonly<Record<string, (input: string) => readonly string[]>> = {
  text: (content) => find('text', content),
  html: (content) => find('html', content),
  defanged: (content) => find('text', content),
  hidden: (url) => hiddenTargets(url).map((t) => t.url),
  canonical: (url) => {
    const canonical = canonicalUrl(url)
    return canonical === null ? [] : [canonicalText(canonical)]
  },
  expressions: (url) => {
    const canonical = canonicalUrl(url)
    return canonical === null ? [] : urlKeys(canonical)
  },
}

describe.each(Object.entries(RUN))('the URL corpus, %s.txt', (file, run) => {
  it.each(cases(file))('%s', (input, expected) => {
    expect(run(written(input))).toEqual(expected.map(written))
  })
})

it('the URL corpus has at least 300 cases, none twice', () => {
  const all = Object.keys(RUN).flatMap((file) => cases(file).map(([input]) => `${file} ${input}`))
  expect(all.length).toBeGreaterThanOrEqual(300)
  expect(new Set(all).size).toBe(all.length)
})
