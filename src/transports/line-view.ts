import stringWidth from 'string-width'

/**
 * Draws one edited line behind its prompt: knows in which row and column each character stands, for characters of
 * two columns and lines that wrap. Positions are indexes into the characters, not into the string.
 */
export interface LineView {
  /** Writes the prompt; the line starts behind it. */
  prompt(text: string): void
  /** The line is now `cells` with the cursor before `cursor`; characters before `from` are unchanged. */
  update(cells: readonly string[], cursor: number, from: number): void
  /** Moves below the line. */
  leave(): void
}

interface Place {
  readonly row: number
  readonly column: number
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** Plain ASCII that no mark follows, or a stretch of anything else: V8 copies its whole input for every segment it finds. */
const STRETCH = /[ -~](?![^ -~])|[ -~]?[^ -~]{1,64}/gu

/** What an operator sees as one character each. */
export const graphemes = (text: string): string[] =>
  (text.match(STRETCH) ?? []).flatMap((part) =>
    part.length === 1 ? part : Array.from(segmenter.segment(part), (s) => s.segment),
  )

export const createLineView = (write: (text: string) => void, columns: () => number): LineView => {
  let start = 0
  let shown: readonly string[] = []
  let at: Place = { row: 0, column: 0 }
  /** Before which character the cursor stands, and the prompt's width and the window's when that was drawn. */
  let cursorAt = 0
  let promptWidth = 0
  let drawnFor = 0

  /** Where the character at `index` stands; a wide one that does not fit starts the next row. */
  const place = (
    cells: readonly string[],
    index: number,
    from: Place = { row: 0, column: start },
    first = 0,
  ): Place => {
    const width = columns()
    let { row, column } = from
    for (let i = first; i < index; i++) {
      const w = stringWidth(cells[i] ?? '')
      if (column + w > width) {
        row++
        column = 0
      }
      column += w
    }
    return column >= width ? { row: row + 1, column: 0 } : { row, column }
  }

  const move = (to: Place): void => {
    const down = to.row - at.row
    if (down !== 0) write(`\u001b[${Math.abs(down)}${down < 0 ? 'A' : 'B'}`)
    if (to.column < at.column && to.column > 0 && at.column - to.column <= 4 && down === 0)
      write('\b'.repeat(at.column - to.column))
    else if (to.column !== at.column) {
      if (to.column < at.column) write('\r')
      const right = to.column - (to.column < at.column ? 0 : at.column)
      if (right > 0) write(`\u001b[${right}C`)
    }
    at = to
  }

  /** Prints the characters from `from` on; leaves the terminal out of its "pending wrap" state at the right edge. */
  const put = (cells: readonly string[], from: number): void => {
    const text = cells.slice(from).join('')
    const end = place(cells, cells.length)
    write(text)
    if (end.column === 0 && end.row > at.row && text !== '') write('\r\n')
    at = end
  }

  /** After a change of the window's width: terminals wrap what they show anew, and take the cursor along. */
  const reflowed = (): boolean => {
    const width = Math.max(1, columns())
    if (width === drawnFor) return false
    drawnFor = width
    start = promptWidth % width
    at = place(shown, cursorAt)
    return true
  }

  return {
    prompt: (text) => {
      write(text)
      drawnFor = Math.max(1, columns())
      promptWidth = stringWidth(text.slice(text.lastIndexOf('\n') + 1))
      start = promptWidth % drawnFor
      shown = []
      cursorAt = 0
      at = { row: 0, column: start }
    },
    update: (cells, cursor, changed) => {
      const from = reflowed() ? 0 : changed
      const target = place(cells, cursor)
      const shorter = shown.length - cells.length
      const last = shown.at(-1) ?? ''
      if (from >= cells.length && from >= shown.length) {
        move(target)
      } else if (shorter === 1 && from === cells.length && target.row === at.row && target.column < at.column) {
        // Backspace at the end of the line: what every terminal driver sends.
        const w = stringWidth(last)
        write('\b'.repeat(w) + ' '.repeat(w) + '\b'.repeat(w))
        at = target
      } else {
        move(place(cells, from))
        put(cells, from)
        if (shorter > 0 || from !== changed || place(shown, shown.length).row > at.row) write('\u001b[J')
        move(target)
      }
      shown = [...cells]
      cursorAt = cursor
    },
    leave: () => {
      reflowed()
      move(place(shown, shown.length))
      if (at.column > 0 || shown.length === 0 || at.row === 0) write('\n')
      shown = []
    },
  }
}
