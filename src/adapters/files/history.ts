import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { HistoryFile } from '../../shell/history.ts'

/** One line a command, in a file that only its owner reads. A history that cannot be read or written is no reason to stop. */
export const historyFile = (path: string): HistoryFile => ({
  load: () => {
    try {
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    } catch {
      return []
    }
  },
  save: (lines) => {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.new`, `${lines.join('\n')}\n`, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    } catch {
      // A full or read-only disk: the session's own history still works.
    }
  },
})
