import type { Terminal } from './terminal.ts'

/**
 * What stands between commands and the terminal: knows whether the cursor is at the start of a line and how many
 * line feeds came last, so that the rule of blank lines (reference/url-retrospective-verdict.txt) is kept in one place.
 */
export interface Output {
  write(text: string): void
  /** Whole lines. Control bytes other than colours are escaped: the last defence, content is escaped where it is rendered. */
  print(this: void, ...lines: readonly string[]): void
  /** Makes sure that the line above the cursor is blank (or the very top). */
  blank(): void
  /** The operator ended a line: the cursor stands at the start of the next one. */
  lineRead(): void
}

// Everything a terminal may act on, but the blank of a TAB. Colours (SGR) pass where we write some ourselves.
const UNSAFE = /\u001b\[[0-9;]{0,9}m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
/** The colours of transports/tty.ts and what ends them; no others: concealed text is one of those. */
const COLOUR = /^\u001b\[(?:0|1|2|22|31|32|33|39)m$/

export const createOutput = (terminal: Pick<Terminal, 'write' | 'colour'>): Output => {
  const escapeControl = (c: string): string => {
    if (terminal.colour && COLOUR.test(c)) return c
    if (c === '\r') return '\\r'
    const code = c.charCodeAt(0)
    const escaped = code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
    return escaped + c.slice(1)
  }
  let lineFeeds = 2
  const write = (text: string): void => {
    if (text === '') return
    terminal.write(text)
    const tail = /\n*$/.exec(text)?.[0].length ?? 0
    lineFeeds = tail === text.length ? lineFeeds + tail : tail
  }
  return {
    write,
    print: (...lines) => {
      write(lines.map((line) => `${line.replace(UNSAFE, escapeControl)}\n`).join(''))
    },
    blank: () => {
      write('\n'.repeat(Math.max(0, 2 - lineFeeds)))
    },
    lineRead: () => {
      lineFeeds = 1
    },
  }
}
