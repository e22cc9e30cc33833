import { spawn } from 'node:child_process'
import { program } from './appliance.ts'
import { collect, ended, until } from './processes.ts'
import type { Finished } from './processes.ts'

/** An operator at a shell session that stays open while other sessions work. */
export interface Typist {
  /** Sends lines and waits until the output that follows them matches; returns that output. */
  type(input: string, expected: RegExp): Promise<string>
  /** End of input, and the exit. */
  leave(): Promise<Finished>
}

/** Attaches through a pipe. A refused command does not end the session. */
export const openShell = (home: string, args: readonly string[] = []): Typist => {
  const child = spawn(process.execPath, [program, '--home', home, '--echo', '--keep-going', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const out = collect(child)
  const end = ended(child)
  const text = (): string => `${out().stdout}${out().stderr}`
  let read = 0
  return {
    type: async (input, expected) => {
      child.stdin.write(input)
      await until(`the shell prints ${expected.source}; it printed:\n${text().slice(read)}`, () =>
        expected.test(text().slice(read)),
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\nnow:\n${text().slice(read)}`)
      })
      const answer = text().slice(read)
      read += answer.length
      return answer
    },
    leave: async () => {
      child.stdin.end()
      const { code, signal } = await end
      return { code, signal, ...out() }
    },
  }
}
