import { Interrupted } from '../../src/core/errors.ts'
import type { Terminal } from '../../src/shell/terminal.ts'

/** A recorded session: what stands after a prompt was typed, everything else was printed. `<*>` matches any text of a line. */
export interface SessionFile {
  readonly settings: Readonly<Record<string, string>>
  readonly lines: readonly string[]
}

/** First lines `# key: value` are settings. */
export const parseSessionFile = (text: string): SessionFile => {
  const lines = text.split('\n').map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const settings: Record<string, string> = {}
  for (;;) {
    const match = /^# ([a-z]+): (.*)$/.exec(lines[0] ?? '')
    if (match === null) break
    settings[match[1] ?? ''] = match[2] ?? ''
    lines.shift()
  }
  while (lines[0] === '') lines.shift()
  return { settings, lines }
}

const ANY = '<*>'
/** Whether a printed line is what the recording says. */
export const matches = (recorded: string, printed: string): boolean => {
  const parts = recorded.split(ANY).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(printed.trimEnd())
}

/** Both texts side by side where they part; null = they agree. */
export const difference = (recorded: readonly string[], printed: string): string | null => {
  const lines = printed.split('\n').map((line) => line.trimEnd())
  while (lines.at(-1) === '') lines.pop()
  const count = Math.max(recorded.length, lines.length)
  for (let i = 0; i < count; i++) {
    if (matches(recorded[i] ?? '', lines[i] ?? '')) continue
    const context = lines.slice(Math.max(0, i - 6), i).map((line) => `  ${line}`)
    return [
      `line ${i + 1} of the session differs:`,
      ...context,
      `- ${recorded[i] ?? '(the end)'}`,
      `+ ${lines[i] ?? '(the end)'}`,
    ].join('\n')
  }
  return null
}

export interface ReplayTerminal extends Terminal {
  transcript(): string
  /** What was typed, for a second run through another transport. */
  readonly typed: readonly string[]
  /** The recording as a line shows it that does not echo secrets. */
  echoed(): readonly string[]
}

/**
 * Types what the recording shows after each prompt. The line of the recording is the one at which the output stands,
 * so a session that leaves the recording is stopped at once. `^C` interrupts, on a line of its own what runs; `^D` ends the
 * input.
 */
export const replayTerminal = (recorded: readonly string[]): ReplayTerminal => {
  let shown = ''
  let over = false
  const typed: string[] = []
  const unsaid = new Map<number, string>()
  const answerAt = (prompt: string): string | null => {
    const line = recorded[shown.split('\n').length - 1]
    if (line === undefined) return null
    const visible = prompt.trimEnd()
    if (!line.startsWith(visible)) throw new Error(`asked '${visible}' where the session has:\n${line}`)
    return line.slice(visible.length).replace(/^ /, '')
  }
  let running: AbortController | null = null
  const interruptThere = (): void => {
    const at = shown.split('\n').length - 1
    // What goes on after the recording's end would do so for ever.
    const lost = at > recorded.length + 1
    if (running === null || (!lost && (!shown.endsWith('\n') || recorded[at] !== '^C'))) return
    if (!lost) shown += '^C\n'
    running.abort(new Interrupted('Ctrl-C'))
  }
  return {
    columns: 80,
    rows: 0,
    colour: false,
    interactive: false,
    origin: 'local',
    typed,
    transcript: () => shown,
    echoed: () => recorded.map((line, at) => unsaid.get(at) ?? line),
    write: (text) => {
      // What a session says because its recording ends (staged changes) is not part of it.
      if (over) return
      shown += text
      interruptThere()
    },
    readLine: async (prompt, options) => {
      const answer = answerAt(prompt)
      if (options?.secret === true) unsaid.set(shown.split('\n').length - 1, prompt.trimEnd())
      if (answer === null) {
        over = true
        return null
      }
      shown += `${prompt}${answer}\n`
      if (answer === '^D') return null
      typed.push(answer)
      if (answer === '^C') throw new Interrupted('Ctrl-C')
      return answer
    },
    readKey: async () => null,
    untilInterrupt: () => {
      const mine = new AbortController()
      running = mine
      return {
        signal: mine.signal,
        done: () => {
          if (running === mine) running = null
        },
      }
    },
  }
}
