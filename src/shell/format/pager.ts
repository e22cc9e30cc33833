import type { Output } from '../output.ts'
import type { Terminal } from '../terminal.ts'

/** Shown at the foot of each screenful; any key goes on, `q` ends. */
export const MORE = '-Press Any Key For More-'

const COLOUR = /\u001b\[[0-9;]*m/g

/** Prints long output a screenful at a time; where nobody can press a key, all at once. */
export const page = async (
  terminal: Terminal,
  output: Output,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<void> => {
  const paged = terminal.interactive && terminal.rows > 2
  let used = 0
  for await (const line of lines as AsyncIterable<string>) {
    const rows = Math.max(1, Math.ceil([...line.replace(COLOUR, '')].length / Math.max(1, terminal.columns)))
    if (paged && used > 0 && used + rows > terminal.rows - 1) {
      // A question that wraps could not take itself away.
      const key = await terminal.readKey(MORE.slice(0, Math.max(1, terminal.columns - 1)))
      if (key === null || key.toLowerCase() === 'q') return
      used = 0
    }
    used += rows
    output.print(line)
    await terminal.drained?.()
  }
}
