import { StringDecoder } from 'node:string_decoder'
import { printable } from '../core/text.ts'

/* What the other side of a telnet session sends (RFC 854), made harmless for the operator's terminal. */

const IAC = 255
const WILL = 251
const WONT = 252
const DO = 253
const DONT = 254
const SB = 250
const SE = 240

type State = 'data' | 'command' | 'will' | 'do' | 'ignored option' | 'parameters' | 'command in parameters'

export interface RemoteStream {
  /** The text to show, at once and however the bytes were cut. */
  feed(this: void, bytes: Uint8Array): string
  /** What an unfinished character or a last carriage return amounts to. */
  end(this: void): string
}

/**
 * Takes the options out and refuses each with `answer` (three bytes): we are a plain network virtual terminal, so WONT and
 * DONT from the other side only state what is so already, and get no answer. Line ends become `\n`; every other control
 * byte is shown escaped, a carriage return in the middle of a line too, since it would write over what stands there.
 */
export const createRemoteStream = (answer: (bytes: Uint8Array) => void): RemoteStream => {
  const utf8 = new StringDecoder('utf8')
  let state: State = 'data'
  let heldReturn = false

  const afterIac = (byte: number, data: number[]): State => {
    if (byte === IAC) data.push(byte)
    if (byte === WILL) return 'will'
    if (byte === DO) return 'do'
    if (byte === WONT || byte === DONT) return 'ignored option'
    return byte === SB ? 'parameters' : 'data'
  }
  const next = (byte: number, data: number[]): State => {
    switch (state) {
      case 'data':
        if (byte === IAC) return 'command'
        data.push(byte)
        return 'data'
      case 'command':
        return afterIac(byte, data)
      case 'will':
        answer(Uint8Array.of(IAC, DONT, byte))
        return 'data'
      case 'do':
        answer(Uint8Array.of(IAC, WONT, byte))
        return 'data'
      case 'ignored option':
        return 'data'
      case 'parameters':
        return byte === IAC ? 'command in parameters' : 'parameters'
      case 'command in parameters':
        return byte === SE ? 'data' : 'parameters'
    }
  }
  const show = (decoded: string): string => {
    if (decoded === '') return ''
    const text = heldReturn ? `\r${decoded}` : decoded
    heldReturn = text.endsWith('\r')
    return (heldReturn ? text.slice(0, -1) : text)
      .replaceAll('\r\n', '\n')
      .replace(/\r\0?/g, '\r')
      .replace(/[^\n\t]+/g, printable)
  }
  return {
    feed: (bytes) => {
      const data: number[] = []
      for (const byte of bytes) state = next(byte, data)
      return show(utf8.write(Buffer.from(data)))
    },
    end: () => {
      const last = show(utf8.end())
      return heldReturn ? `${last}${printable('\r')}` : last
    },
  }
}
