import { StringDecoder } from 'node:string_decoder'

export interface TypedLine {
  feed(this: void, bytes: Uint8Array): void
}

const LEAVE = new Set(['\u001d', '\u0003'])
const MAX_LINE = 4096

/** Raw keys → lines for the other side of a telnet session: echo, backspace, Enter; `^]` and Ctrl-C leave; other keys do nothing. */
export const createTypedLine = (to: {
  readonly echo: (text: string) => void
  readonly send: (line: string) => void
  readonly leave: () => void
}): TypedLine => {
  const utf8 = new StringDecoder('utf8')
  let line: string[] = []
  let afterReturn = false
  return {
    feed: (bytes) => {
      const text = utf8.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      // Arrow and function keys come as one chunk that begins with Esc.
      if (text.startsWith('\u001b')) return
      for (const c of text) {
        const secondOfPair = c === '\n' && afterReturn
        afterReturn = c === '\r'
        if (secondOfPair) continue
        if (LEAVE.has(c)) {
          to.leave()
          return
        }
        if (c === '\r' || c === '\n') {
          to.echo('\n')
          to.send(line.join(''))
          line = []
        } else if (c === '\u007f' || c === '\b') {
          if (line.pop() !== undefined) to.echo('\b \b')
        } else if (c >= ' ' && !(c >= '\u0080' && c <= '\u009f') && line.length < MAX_LINE) {
          line.push(c)
          to.echo(c)
        }
      }
    },
  }
}
