import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRemoteStream } from '../../../src/shell/telnet-stream.ts'

const shown = (...chunks: readonly Uint8Array[]): { readonly text: string; readonly answers: readonly number[] } => {
  const answers: number[] = []
  const stream = createRemoteStream((bytes) => answers.push(...bytes))
  const text = chunks.map((chunk) => stream.feed(chunk)).join('')
  return { text: text + stream.end(), answers }
}
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('what the other side of a telnet session sends', () => {
  it('is shown as soon as it comes, without the end of its line', () => {
    expect(createRemoteStream(() => undefined).feed(bytes('login: '))).toBe('login: ')
  })

  it('has one line end for CR LF and LF, and none that goes back to the start of a line', () => {
    expect(shown(bytes('a\r\nb\nc\rd\r\0e\r')).text).toBe('a\nb\nc\\rd\\re\\r')
  })

  it('keeps no control, C1 or bidi character', () => {
    expect(shown(bytes('\u001b[2J\u0007\u009b1m\u202ex\ty\0')).text).toBe('\\x1b[2J\\x07\\x9b1m\\u202ex\ty\\x00')
  })

  it('refuses every option once and shows none', () => {
    const { text, answers } = shown(
      Uint8Array.of(65, 255, 251, 1, 66, 255, 253, 24, 255, 252, 3, 255, 254, 5, 67),
      Uint8Array.of(255, 250, 24, 1, 255, 255, 7, 255, 240, 68, 255, 241, 69),
    )
    expect(text).toBe('ABCDE')
    expect(answers).toEqual([255, 254, 1, 255, 252, 24])
  })

  it('reads the same however it was cut', () => {
    const whole = Uint8Array.of(
      ...bytes('é日\r\n\r\0x\u001b[1m😀\r'),
      255,
      251,
      1,
      255,
      250,
      1,
      255,
      240,
      ...bytes('\n'),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...[...cuts].sort((a, b) => a - b), whole.length]
        expect(shown(...at.slice(1).map((end, i) => whole.subarray(at[i], end)))).toEqual(shown(whole))
      }),
    )
  })
})
