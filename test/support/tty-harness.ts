import { createHistory } from '../../src/shell/history.ts'
import { createTty } from '../../src/transports/tty.ts'
import type { Tty } from '../../src/transports/tty.ts'
import { settle } from './fake-clock.ts'

export interface TypedTty extends Tty {
  /** Bytes sent to the operator so far. */
  output(): string
  clear(): void
  type(text: string): Promise<void>
  /** What a terminal of that width shows: applies line feeds, returns, backspaces and the escapes that we send. */
  screen(): readonly string[]
  resumed(): number
  /** The window has another width now; `screen` goes on with the old one. */
  resize(columns: number): void
}

/** A Tty fed by the test, with the bytes it sends kept. */
export const typedTty = (
  options: {
    readonly columns?: number
    readonly rows?: number
    readonly history?: readonly string[]
    readonly colour?: boolean
  } = {},
): TypedTty => {
  let sent = ''
  let resumes = 0
  const columns = options.columns ?? 80
  let width = columns
  const tty = createTty({
    write: (data) => {
      sent += typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
    },
    size: () => ({ columns: width, rows: options.rows ?? 24 }),
    colour: options.colour ?? false,
    origin: 'local',
    history: createHistory({ load: () => options.history ?? [], save: () => undefined }),
    resume: () => {
      resumes++
    },
  })
  return {
    ...tty,
    output: () => sent,
    clear: () => {
      sent = ''
    },
    type: async (text) => {
      tty.feed(Buffer.from(text))
      await settle()
    },
    screen: () => render(sent, columns || 80),
    resumed: () => resumes,
    resize: (to) => {
      width = to
    },
  }
}

const TOKEN = /\u001b\[(\d*)([ABCDJKHm])|\u001b\[2J|[\r\n\b\u0007]|[^\u0000-\u001f\u001b]/gu
const isWide = (c: string): boolean => /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(c)

/** A terminal of which only what the line view uses exists; it wraps late, as real ones do. */
const render = (text: string, columns: number): readonly string[] => {
  const rows: string[][] = [[]]
  let row = 0
  let column = 0
  const line = (): string[] => (rows[row] ??= [])
  for (const match of text.matchAll(TOKEN)) {
    const [token, count = '', command] = match
    const n = Number(count || 1)
    if (command === 'A') row = Math.max(0, row - n)
    else if (command === 'B') row += n
    else if (command === 'C') column = Math.min(columns - 1, column + n)
    else if (command === 'D') column = Math.max(0, column - n)
    else if (command === 'K') line().length = Math.min(line().length, column)
    else if (command === 'J') {
      line().length = Math.min(line().length, column)
      rows.length = row + 1
    } else if (command !== undefined || token === '\u0007') continue
    else if (token === '\r') column = 0
    else if (token === '\n') {
      row++
      // The terminal driver adds the return.
      column = 0
    } else if (token === '\b') column = Math.max(0, Math.min(column, columns - 1) - 1)
    else {
      const width = isWide(token) ? 2 : 1
      if (column + width > columns) {
        row++
        column = 0
      }
      const cells = line()
      while (cells.length < column) cells.push(' ')
      cells[column] = token
      if (width === 2) cells[column + 1] = ''
      column += width
    }
  }
  return rows.map((cells) =>
    Array.from(cells, (c) => c ?? ' ')
      .join('')
      .trimEnd(),
  )
}
