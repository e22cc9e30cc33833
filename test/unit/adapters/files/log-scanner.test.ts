import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogScanner, inlineLogScanner } from '../../../../src/adapters/files/log-scanner.ts'
import { scanFiles } from '../../../../src/adapters/files/log-scan.ts'
import { compilePattern } from '../../../../src/core/regex.ts'
import type { LogSearch } from '../../../../src/logs/ports.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lychgate-grep-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const wish = (patterns: readonly string[], more: Partial<LogSearch> = {}): LogSearch => ({
  patterns,
  ignoreCase: false,
  invert: false,
  context: 0,
  ...more,
})
const file = (name: string, text: string): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}
const found = (paths: readonly string[], search: LogSearch): readonly string[] => [...scanFiles(paths, search)].flat()
const letters = ['a1', 'b', 'c', 'd', 'e', 'a2', 'f', 'a3', 'g']

describe('the search of log files', () => {
  it.each([
    ['the lines that match', {}, ['a1', 'a2', 'a3']],
    ['the others when inverted', { invert: true }, ['b', 'c', 'd', 'e', 'f', 'g']],
    ['context once, with a mark between groups', { context: 1 }, ['a1', 'b', '--', 'e', 'a2', 'f', 'a3', 'g']],
    ['everything with wide context', { context: 9 }, letters],
    ['lines that match in the other case', { ignoreCase: true, patterns: ['A'] }, ['a1', 'a2', 'a3']],
    ['lines that match one of several', { patterns: ['^b', 'g$'] }, ['b', 'g']],
  ])('gives %s', (_what, more, expected) => {
    expect(found([file('one', letters.join('\n'))], wish(['^a'], more))).toEqual(expected)
  })

  it('gives what a look at each line gives, for every pattern, over files and chunks', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '1', ' ', 'é', '.'), maxLength: 9 })
    const pattern = fc.constantFrom(
      'a',
      'ab',
      'a.b',
      '^b',
      'b$',
      'a+b',
      '(a+)+$',
      'ab?1',
      '[ab]1',
      '\\S\\s',
      'é',
      '(?i)ba',
      'x*',
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.array(pattern, { minLength: 1, maxLength: 2 }),
        fc.boolean(),
        fc.boolean(),
        (files, patterns, ignoreCase, invert) => {
          const paths = files.map((lines, i) => file(`f${i}`, lines.map((l) => `${l}\n`).join('')))
          const compiled = patterns.map((p) => compilePattern(p, { ignoreCase }))
          const hit = (l: string): boolean => compiled.some((p) => p.ok && p.value.test(l)) !== invert
          expect(found(paths, wish(patterns, { ignoreCase, invert })), patterns.join()).toEqual(
            files.flat().filter(hit),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  it('finds lines that lie across two reads, and the last one without its line feed', () => {
    const filler = `${'x'.repeat(99)}\n`.repeat(2621)
    const path = file('long', `${filler}needle one ${'y'.repeat(300_000)}\n${filler}needle two`)
    for (const source of ['needle', 'ne+dle', '(ne+)+d'])
      expect(found([path], wish([source])).map((l) => l.slice(0, 10))).toEqual(['needle one', 'needle two'])
  })

  it('gives a line without an end in pieces', () => {
    const path = file('endless', 'z'.repeat(3_000_000))
    const pieces = found([path], wish(['z']))
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('').length).toBe(3_000_000)
  })

  it('reads a file that was closed meanwhile under its new name, and leaves out one that has gone', () => {
    const open = file('mail.@20220329T202010.c', 'one\n')
    renameSync(open, join(home, 'mail.@20220329T202010.s'))
    expect(found([join(home, 'mail.@20220329T101010.s'), open], wish(['one']))).toEqual(['one'])
  })
})

describe.each([
  ['in a thread', createLogScanner],
  ['inline', inlineLogScanner],
])('the log scanner %s', (_how, create) => {
  it('gives hits of files, and of lines that come', async () => {
    const path = file('log', 'MID 1 a\nMID 2 b\n'.repeat(40_000))
    const scanner = create()
    let count = 0
    for await (const lines of scanner.scan([path], wish(['MID 2']), new AbortController().signal)) count += lines.length
    expect(count).toBe(40_000)
    const coming = async function* () {
      yield ['MID 2 x', 'other']
      yield ['nothing']
      yield ['MID 2 y']
    }
    const hits: string[] = []
    for await (const lines of scanner.filter(coming(), wish(['MID 2']), new AbortController().signal))
      hits.push(...lines)
    expect(hits).toEqual(['MID 2 x', 'MID 2 y'])
  })

  it('stops when it is told to', async () => {
    const path = file('log', 'MID 1 a\n'.repeat(400_000))
    const stop = new AbortController()
    let count = 0
    for await (const lines of create().scan([path], wish(['MID']), stop.signal)) {
      count += lines.length
      stop.abort()
    }
    expect(count).toBeLessThan(400_000)
  })
})

describe('searches in threads', () => {
  it('stop at once in the middle of a pattern that takes its time', async () => {
    const path = file('log', `${'a'.repeat(900_000)}!\n`)
    const stop = new AbortController()
    const hostile = createLogScanner().scan([path], wish(['(a{1,30}){1,30}b|(.*a){20}!x']), stop.signal)
    const next = hostile[Symbol.asyncIterator]().next()
    setImmediate(() => stop.abort())
    const since = performance.now()
    expect((await next).done).toBe(true)
    expect(performance.now() - since).toBeLessThan(1000)
  })

  it('are four at a time; a fifth waits, and goes when it is told to', async () => {
    const path = file('log', 'a line\n'.repeat(10_000))
    const scanner = createLogScanner()
    const stop = new AbortController()
    const held = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const search = scanner.scan([path], wish(['a']), stop.signal)[Symbol.asyncIterator]()
        await search.next()
        return search
      }),
    )
    const impatient = new AbortController()
    const fifth = scanner
      .scan([path], wish(['a']), impatient.signal)
      [Symbol.asyncIterator]()
      .next()
    const sixth = scanner.scan([path], wish(['a']), stop.signal)[Symbol.asyncIterator]()
    const later = sixth.next()
    impatient.abort()
    expect((await fifth).done).toBe(true)
    await held[0]?.return?.()
    expect((await later).done).toBe(false)
    stop.abort()
    await Promise.all([...held.slice(1), sixth].map(async (search) => await search.return?.()))
  })

  it('fails where it is read when its thread fails before anything was asked of it', async () => {
    const { signal } = new AbortController()
    const scanner = createLogScanner()
    const path = file('one', 'a')
    const late = async function* () {
      // Threads that begin and end meanwhile: the one that cannot have its pattern is gone by then.
      for (let n = 0; n < 2; n++) for await (const lines of scanner.scan([path], wish(['a']), signal)) yield lines
    }
    const lines = scanner.filter(late(), wish(['[']), signal)
    await expect(lines[Symbol.asyncIterator]().next()).rejects.toThrow('The search of the log failed.')
  })
})
