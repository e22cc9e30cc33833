import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyDecoder } from '../../../src/transports/key-decoder.ts'

const keys = (...chunks: readonly (string | Uint8Array)[]): readonly string[] => {
  const decoder = createKeyDecoder()
  return chunks.flatMap((chunk) => [...decoder.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)])
}

describe('bytes become keys', () => {
  it.each([
    ['plain text is one run', 'status', ['status']],
    ['return, line feed and both are one return each', 'a\rb\nc\r\nd', ['a', '\r', 'b', '\r', 'c', '\r', 'd']],
    [
      'arrows and function keys',
      '\u001b[A\u001bOB\u001b[3~\u001b[1;5C',
      ['\u001b[A', '\u001bOB', '\u001b[3~', '\u001b[1;5C'],
    ],
    ['Alt and a letter', '\u001bb', ['\u001bb']],
    ['control characters', '\u0003\u0004\u007f\t', ['\u0003', '\u0004', '\u007f', '\t']],
    ['a bracketed paste is its text', '\u001b[200~a\tb\u0001\r\nc\u001b[201~', ['a', ' ', 'b', '\r', 'c']],
    ['keys of a paste do nothing', '\u001b[200~\u001b[A\u001b[201~x', ['x']],
    ["a terminal's answers are no keys", '\u001b]11;rgb:0/0/0\u0007x\u001bP1$r\u001b\\y', ['x', 'y']],
    ['wide and combined characters stay in their run', 'é漢😀', ['é漢😀']],
  ])('%s', (_, text, expected) => {
    expect(keys(text)).toEqual(expected)
  })

  it('waits for the rest of a character and of a sequence', () => {
    const [a = 0, b = 0, c = 0] = Buffer.from('漢')
    expect(keys(Uint8Array.of(a), Uint8Array.of(b, c))).toEqual(['漢'])
    expect(keys('\u001b', '[A')).toEqual(['\u001b[A'])
    expect(keys('\u001b[1', ';5D')).toEqual(['\u001b[1;5D'])
  })

  it('takes any bytes in any pieces and never gives a raw C1 or an endless sequence', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        for (const key of keys(...chunks)) {
          expect(key.length).toBeGreaterThan(0)
          if (!key.startsWith('\u001b')) expect(key).toMatch(/^[\u0000-\u001f\u007f]$|^[^\u0000-\u001f\u007f-\u009f]+$/)
        }
      }),
      { numRuns: 300, seed: 7 },
    )
  })
})
