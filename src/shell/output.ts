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

// Everything a terminal may act on, but the blank of a TAB and the colours (SGR) that we write ourselves.

const UNSAFE = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const escapeControl = (c: string): string =>
  c.length > 1 ? c : c === '\r' ? '\\r' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`

export const createOutput = (terminal: Pick<Terminal, 'write'>): Output => {
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
