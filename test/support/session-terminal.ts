import { Interrupted } from '../../src/core/errors.ts'
import type { ReadLineOptions, Terminal } from '../../src/shell/terminal.ts'

/** A terminal that answers from a list and keeps what it saw. `^C` interrupts, `^D` and the end of the list end the input. */
export interface ScriptTerminal extends Terminal {
  /** Everything shown so far, with the answers where they were typed. */
  transcript(): string
  readonly prompts: readonly string[]
  readonly notices: readonly string[]
}

export interface ScriptOptions {
  readonly answers: readonly string[] | ((prompt: string, transcript: string) => string | null)
  readonly batch?: { readonly prompts?: boolean; readonly keepGoing?: boolean; readonly position?: null }
  readonly interactive?: boolean
  readonly rows?: number
  readonly columns?: number
  readonly keys?: readonly string[]
  /** `local` when it is not given. */
  readonly origin?: string
}

export const scriptTerminal = (options: ScriptOptions): ScriptTerminal => {
  let shown = ''
  let taken = 0
  const prompts: string[] = []
  const notices: string[] = []
  const keys = [...(options.keys ?? [])]
  const next = (prompt: string): string | null => {
    const { answers } = options
    taken++
    return typeof answers === 'function' ? answers(prompt, shown) : (answers[taken - 1] ?? null)
  }
  return {
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
    colour: false,
    interactive: options.interactive ?? false,
    origin: options.origin ?? 'local',
    ...(options.batch === undefined
      ? {}
      : {
          batch: {
            prompts: options.batch.prompts ?? true,
            keepGoing: options.batch.keepGoing ?? false,
            position: () => (options.batch?.position === null ? null : `line ${taken}`),
          },
        }),
    prompts,
    notices,
    transcript: () => shown,
    write: (text) => {
      shown += text
    },
    notice: (line) => {
      notices.push(line)
    },
    readLine: async (prompt: string, read?: ReadLineOptions) => {
      prompts.push(prompt)
      const answer = next(prompt)
      if (answer === null || answer === '^D') {
        if (options.batch === undefined && prompt !== '') shown += `${prompt}\n`
        return null
      }
      if (read?.history !== 'commands' || prompt !== '') shown += `${prompt}${answer}\n`
      if (answer === '^C') throw new Interrupted('Ctrl-C')
      return answer
    },
    readKey: async () => keys.shift() ?? null,
    untilInterrupt: () => ({ signal: new AbortController().signal, done: () => undefined }),
  }
}
