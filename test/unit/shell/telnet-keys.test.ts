import { describe, expect, it } from 'vitest'
import { createTelnetKeys } from '../../../src/shell/telnet-keys.ts'

const typed = (
  chunks: readonly (string | Uint8Array)[],
  taken = true,
): { readonly sent: readonly string[]; readonly echo: string; readonly left: number } => {
  const sent: string[] = []
  let echo = ''
  let left = 0
  const keys = createTelnetKeys({
    send: (bytes) => {
      sent.push(Buffer.from(bytes).toString('latin1'))
      return taken
    },
    echo: (text) => (echo += text),
    leave: () => left++,
  })
  for (const chunk of chunks) keys.feed(Buffer.from(chunk as string))
  return { sent, echo, left }
}

describe('keys of a telnet session', () => {
  it('go at once, Enter as CR LF however it comes', () => {
    expect(typed(['H', 'I', '\r', 'a\r', '\nb\n'])).toEqual({
      sent: ['H', 'I', '\r\n', 'a\r\n', 'b\r\n'],
      echo: 'HI\na\nb\n',
      left: 0,
    })
  })

  it('are all the other side’s, Ctrl-C and Esc too, and echoed as a terminal names them', () => {
    expect(typed(['\u0003', '\u001b[A', '\u007f'])).toMatchObject({
      sent: ['\u0003', '\u001b[A', '\u007f'],
      echo: '^C^[[A^?',
      left: 0,
    })
  })

  it('echo a character once it is whole, and send a byte 255 doubled', () => {
    expect(typed([Uint8Array.of(0xc3), Uint8Array.of(0xa9)])).toMatchObject({ sent: ['\u00c3', '\u00a9'], echo: 'é' })
    expect(typed([Uint8Array.of(255)]).sent).toEqual(['\u00ff\u00ff'])
  })

  it('leave at ^], once, with what stood before it sent', () => {
    expect(typed(['ab\u001dcd', 'x\u001d'])).toEqual({ sent: ['ab'], echo: 'ab', left: 1 })
  })

  it('are not echoed when they were not taken', () => {
    expect(typed(['x'], false).echo).toBe('')
  })
})
