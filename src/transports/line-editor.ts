import { graphemes } from './line-view.ts'
import type { LineView } from './line-view.ts'

/** What an operator does to a line, without a terminal: each edit tells the view what has changed. */
export class LineEditor {
  #cells: string[] = []
  #cursor = 0
  #historyAt: number
  /** The line that was typed before Up was pressed. */
  #unsent: string[] = []
  readonly #view: LineView | null
  readonly #history: readonly string[]

  /** Without a view nothing is echoed (passphrases). */
  constructor(view: LineView | null, history: readonly string[] = []) {
    this.#view = view
    this.#history = history
    this.#historyAt = history.length
  }

  get text(): string {
    return this.#cells.join('')
  }

  get beforeCursor(): string {
    return this.#cells.slice(0, this.#cursor).join('')
  }

  insert(text: string): void {
    // Joined with its neighbours before it is split again: a combining mark belongs to the character before it.
    const head = graphemes(this.beforeCursor.slice(-32) + text)
    const kept = Math.max(0, this.#cursor - graphemes(this.beforeCursor.slice(-32)).length)
    const from = Math.max(0, this.#cursor - 1)
    const before = [...this.#cells.slice(0, kept), ...head]
    const joined = before[from] !== this.#cells[from]
    this.#cells = [...before, ...this.#cells.slice(this.#cursor)]
    const at = this.#cursor
    this.#cursor = before.length
    this.#draw(joined ? from : at)
  }

  backspace(): void {
    if (this.#cursor === 0) return
    this.#cells.splice(--this.#cursor, 1)
    this.#draw(this.#cursor)
  }

  deleteForward(): void {
    if (this.#cursor === this.#cells.length) return
    this.#cells.splice(this.#cursor, 1)
    this.#draw(this.#cursor)
  }

  moveTo(cursor: number): void {
    this.#cursor = Math.max(0, Math.min(this.#cells.length, cursor))
    this.#draw(this.#cells.length)
  }

  left(): void {
    this.moveTo(this.#cursor - 1)
  }

  right(): void {
    this.moveTo(this.#cursor + 1)
  }

  home(): void {
    this.moveTo(0)
  }

  end(): void {
    this.moveTo(this.#cells.length)
  }

  wordLeft(): void {
    this.moveTo(this.#wordStart())
  }

  wordRight(): void {
    let at = this.#cursor
    while (at < this.#cells.length && this.#cells[at] === ' ') at++
    while (at < this.#cells.length && this.#cells[at] !== ' ') at++
    this.moveTo(at)
  }

  cutWord(): void {
    this.#cut(this.#wordStart(), this.#cursor)
  }

  cutToStart(): void {
    this.#cut(0, this.#cursor)
  }

  cutToEnd(): void {
    this.#cut(this.#cursor, this.#cells.length)
  }

  /** Replaces the `length` characters of text before the cursor. */
  replaceBefore(length: number, text: string): void {
    const keep = this.beforeCursor.slice(0, this.beforeCursor.length - length)
    const head = graphemes(keep + text)
    const from = graphemes(keep).length
    this.#cells = [...head, ...this.#cells.slice(this.#cursor)]
    this.#cursor = head.length
    this.#draw(Math.min(from, this.#cells.length))
  }

  older(): void {
    if (this.#historyAt === 0) return
    if (this.#historyAt === this.#history.length) this.#unsent = [...this.#cells]
    this.#recall(this.#historyAt - 1)
  }

  newer(): void {
    if (this.#historyAt < this.#history.length) this.#recall(this.#historyAt + 1)
  }

  /** Draws everything again behind a prompt that was just written. */
  redraw(): void {
    this.#draw(0)
  }

  #recall(index: number): void {
    this.#historyAt = index
    const entry = this.#history[index]
    this.#cells = entry === undefined ? [...this.#unsent] : graphemes(entry)
    this.#cursor = this.#cells.length
    this.#draw(0)
  }

  #wordStart(): number {
    let at = this.#cursor
    while (at > 0 && this.#cells[at - 1] === ' ') at--
    while (at > 0 && this.#cells[at - 1] !== ' ') at--
    return at
  }

  #cut(from: number, to: number): void {
    if (from === to) return
    this.#cells.splice(from, to - from)
    this.#cursor = from
    this.#draw(from)
  }

  #draw(from: number): void {
    this.#view?.update(this.#cells, this.#cursor, from)
  }
}
