import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, until } from './processes.ts'

/** A real terminal: a tmux session of our own, read as the operator sees it. */
export interface Tmux {
  /** tmux key names (`Enter`, `Tab`, `C-c`, `Up`) or text. */
  keys(...keys: readonly string[]): Promise<void>
  screen(): Promise<string>
  sees(expected: RegExp): Promise<string>
  resize(columns: number, rows: number): Promise<void>
  /** Waits until the program has ended. tmux knows it at once; its words on the screen wait for a signal that can be lost. */
  ended(): Promise<void>
  close(): Promise<void>
}

export const openTmux = async (
  command: readonly string[],
  size: { readonly columns: number; readonly rows: number } = { columns: 100, rows: 40 },
): Promise<Tmux> => {
  const folder = mkdtempSync(join(tmpdir(), 'tmux-'))
  const tmux = async (...args: readonly string[]): Promise<string> =>
    (await run('tmux', ['-f', '/dev/null', '-S', join(folder, 'socket'), ...args], { env: { TERM: 'xterm-256color' } }))
      .stdout
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  await tmux('new-session', '-d', '-x', String(size.columns), '-y', String(size.rows), quoted)
  await tmux('set-option', '-g', 'remain-on-exit', 'on')
  const screen = async (): Promise<string> => await tmux('capture-pane', '-p')
  return {
    keys: async (...keys) => void (await tmux('send-keys', ...keys)),
    screen,
    sees: async (expected) => {
      let last = ''
      await until(`the screen shows ${expected.source}`, async () => expected.test((last = await screen()))).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\nThe screen:\n${last}`)
        },
      )
      return last
    },
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', String(columns), '-y', String(rows))),
    ended: async () =>
      await until('the program ends', async () => (await tmux('list-panes', '-F', '#{pane_dead}')).trim() === '1'),
    close: async () => {
      await tmux('kill-server')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
