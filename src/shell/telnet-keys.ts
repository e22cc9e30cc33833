import { StringDecoder } from 'node:string_decoder'
import { printable } from '../core/text.ts'

export interface TelnetKeys {
  feed(this: void, bytes: Uint8Array): void
}

const ESCAPE = 0x1d
const IAC = 255
const CR = 13
const LF = 10

/** `^C`, `^[`, `^?`: how a terminal shows a control key. */
const caret = (c: string): string => `^${String.fromCharCode(c.charCodeAt(0) ^ 0x40)}`
const echoed = (text: string): string =>
  text.replace(/[^\n]+/g, (part) => printable(part.replace(/[\u0000-\u001f\u007f]/g, caret)))

/**
 * Raw keys → bytes for the other side of a telnet session, each as soon as it comes. Enter is CR LF (RFC 854), a byte 255
 * is doubled, `^]` leaves, every other key is the other side's, Ctrl-C too. Keys are echoed here, because the other side
 * is refused the option to do it.
 */
export const createTelnetKeys = (to: {
  /** False: not taken, and then not echoed. */
  readonly send: (bytes: Uint8Array) => boolean
  readonly echo: (text: string) => void
  readonly leave: () => void
}): TelnetKeys => {
  const utf8 = new StringDecoder('utf8')
  let afterReturn = false
  let left = false
  return {
    feed: (keys) => {
      if (left) return
      const sent: number[] = []
      const shown: number[] = []
      for (const key of keys) {
        if (key === ESCAPE) {
          left = true
          break
        }
        // A pasted CR LF is one Enter.
        const secondOfPair = key === LF && afterReturn
        afterReturn = key === CR
        if (secondOfPair) continue
        if (key === CR || key === LF) sent.push(CR, LF)
        else if (key === IAC) sent.push(IAC, IAC)
        else sent.push(key)
        shown.push(key === CR ? LF : key)
      }
      if (sent.length > 0 && to.send(Uint8Array.from(sent))) to.echo(echoed(utf8.write(Buffer.from(shown))))
      if (left) to.leave()
    },
  }
}
