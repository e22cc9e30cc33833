import { StringDecoder } from 'node:string_decoder'

/**
 * Bytes of a terminal → keys. A key is the text it sent: one control character, one escape sequence,
 * or a run of plain characters (a paste arrives as few long runs, not as one event a character).
 */
export interface KeyDecoder {
  feed(bytes: Uint8Array): readonly string[]
  /** What an unfinished character or sequence at the end of the input amounts to: nothing. */
  end(): void
}

export const CTRL_C = '\u0003'
const ESC = '\u001b'
const PASTE_START = `${ESC}[200~`
const PASTE_END = `${ESC}[201~`
// CSI: parameters 0x30-0x3f, intermediates 0x20-0x2f, final 0x40-0x7e (ECMA-48 §5.4); SS3: one character.
const SEQUENCE = /^\u001b(?:\[\[?[0-?]*[ -/]*[@-~]|O[ -~]|[^[O])/
// OSC, DCS, APC, PM: strings that end in BEL or ST. A terminal's answers, never a key.
const STRING_SEQUENCE = /^\u001b[\]P_^X][^\u0007\u001b]*(?:\u0007|\u001b\\)/
const STRING_OPEN = /^\u001b[\]P_^X]/
/** An unfinished sequence longer than this is no sequence. */
const MAX_SEQUENCE = 256
const isControl = (c: string): boolean => c < ' ' || (c >= '\u007f' && c <= '\u009f')

export const createKeyDecoder = (): KeyDecoder => {
  const utf8 = new StringDecoder('utf8')
  let rest = ''
  let pasting = false
  let afterReturn = false

  const takeSequence = (text: string): { readonly key: string | null; readonly used: number } => {
    if (STRING_OPEN.test(text)) {
      const whole = STRING_SEQUENCE.exec(text)?.[0].length
      if (whole !== undefined) return { key: null, used: whole }
      return { key: null, used: text.length > MAX_SEQUENCE ? 2 : 0 }
    }
    const match = SEQUENCE.exec(text)?.[0]
    if (match === undefined) return { key: null, used: text.length > MAX_SEQUENCE ? 1 : 0 }
    if (match === PASTE_START || match === PASTE_END) {
      pasting = match === PASTE_START
      return { key: null, used: match.length }
    }
    // Esc, then a control key: two keys. Esc alone does nothing.
    if (match.length === 2 && isControl(match.charAt(1))) return { key: null, used: 1 }
    return { key: pasting ? null : match, used: match.length }
  }

  return {
    feed: (bytes) => {
      const text = rest + utf8.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      const keys: string[] = []
      let at = 0
      rest = ''
      while (at < text.length) {
        const c = text.charAt(at)
        if (c === ESC) {
          const { key, used } = takeSequence(text.slice(at, at + MAX_SEQUENCE + 1))
          if (used === 0) {
            rest = text.slice(at)
            break
          }
          if (key !== null) keys.push(key)
          at += used
          afterReturn = false
        } else if (isControl(c)) {
          // The line feed of a CR LF belongs to the return before it.
          if (c === '\r' || c === '\n') {
            if (!(c === '\n' && afterReturn)) keys.push('\r')
          } else if (c >= '\u0080') {
            // C1: never a key, and nothing a terminal should be sent back.
          } else if (!pasting || c === CTRL_C) keys.push(c)
          else if (c === '\t') keys.push(' ')
          afterReturn = c === '\r'
          at++
        } else {
          let end = at + 1
          while (end < text.length && !isControl(text.charAt(end))) end++
          keys.push(text.slice(at, end))
          at = end
          afterReturn = false
        }
      }
      return keys
    },
    end: () => {
      rest = ''
      utf8.end()
    },
  }
}
