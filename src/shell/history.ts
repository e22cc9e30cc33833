import { hasSecret } from './secrets.ts'

/** Where the lines of one user survive the session. */
export interface HistoryFile {
  load(): readonly string[]
  save(lines: readonly string[]): void
}

/** Command lines of one user, oldest first: what Up goes back through. */
export interface CommandHistory {
  entries(): readonly string[]
  add(line: string): void
}

const MAX_ENTRIES = 500
const MAX_LENGTH = 4096

/** Repeats and blank lines are not kept, nor a line that carries a secret. */
export const createHistory = (file: HistoryFile): CommandHistory => {
  let lines: readonly string[] = file.load().slice(-MAX_ENTRIES)
  return {
    entries: () => lines,
    add: (line) => {
      const text = line.trim()
      if (text === '' || text.length > MAX_LENGTH || text === lines.at(-1) || hasSecret(text)) return
      lines = [...lines, text].slice(-MAX_ENTRIES)
      file.save(lines)
    },
  }
}
