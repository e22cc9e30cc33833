import { StringDecoder } from 'node:string_decoder'
import { Interrupted } from '../core/errors.ts'
import type { Terminal } from '../shell/terminal.ts'

export interface BatchOptions {
  readonly write: (text: string) => void
  readonly drained?: () => Promise<void>
  readonly notice: (line: string) => void
  readonly columns: number
  readonly origin: string
  /** Print each line behind its prompt, so that the output reads like a terminal. */
  readonly echo: boolean
  readonly keepGoing: boolean
  /** The argument of `-c`. Answers still come from the input. */
  readonly command?: string
  /** Wants more input: called when a line is needed and none is there. */
  readonly pull: () => void
  /** Monotonic milliseconds; with it the session ends when no input comes for too long. */
  readonly now?: () => number
}

export interface Batch {
  readonly terminal: Terminal
  feed(this: void, bytes: Uint8Array): void
  end(this: void): void
  interrupt(this: void): void
}

/** A line longer than this is no command and no answer. */
const MAX_LINE = 1024 * 1024

/** Commands and answers from a pipe or a file: each line is a command, or the answer to the question that is asked now. */
export const createBatch = (options: BatchOptions): Batch => {
  const { write } = options
  const utf8 = new StringDecoder('utf8')
  const lines: string[] = []
  let partial = ''
  let ended = false
  let waiting: (() => void) | null = null
  let command = options.command
  let taken = 0
  const { now } = options
  let lastInput = now?.() ?? 0
  const interrupt = new AbortController()
  const interrupted = (): Interrupted => new Interrupted('interrupted')

  const wake = (): void => {
    waiting?.()
    waiting = null
  }
  const accept = (text: string): void => {
    const parts = (partial + text).split('\n')
    partial = parts.pop() ?? ''
    for (const part of parts) lines.push(part.endsWith('\r') ? part.slice(0, -1) : part)
    if (partial.length > MAX_LINE) {
      lines.push(partial)
      partial = ''
    }
  }

  const nextLine = async (): Promise<string | null> => {
    while (lines.length === 0 && !ended) {
      if (interrupt.signal.aborted) throw interrupted()
      await new Promise<void>((resolve) => {
        waiting = resolve
        options.pull()
      })
    }
    if (interrupt.signal.aborted) throw interrupted()
    const line = lines.shift()
    if (line === undefined) return null
    taken++
    return line
  }

  const takeCommand = (): string | null => {
    const line = command ?? null
    command = undefined
    return line
  }

  const terminal: Terminal = {
    columns: options.columns > 0 ? options.columns : 80,
    rows: 0,
    colour: false,
    interactive: false,
    origin: options.origin,
    write,
    notice: options.notice,
    ...(options.drained === undefined ? {} : { drained: options.drained }),
    batch: {
      prompts: options.command === undefined || options.echo,
      keepGoing: options.keepGoing,
      position: () => (options.command === undefined || taken > 0 ? `line ${taken}` : null),
    },
    readLine: async (prompt, read = {}) => {
      // The prompt goes out before the line is there: a program at the other end of the pipe may wait for it.
      write(prompt)
      const isCommand = read.history === 'commands'
      const line = isCommand && options.command !== undefined ? takeCommand() : await nextLine()
      const silent = isCommand && prompt === ''
      const echoed = options.echo && read.secret !== true && line !== null ? visible(line) : ''
      if (!silent) write(`${echoed}\n`)
      return line
    },
    readKey: async () => null,
    untilInterrupt: () => {
      const signal = AbortSignal.any([interrupt.signal])
      return { signal, done: () => undefined }
    },
    ...(now === undefined ? {} : { presence: { lastInput: () => lastInput, hangUp: () => stop() } }),
  }
  const stop = (): void => {
    interrupt.abort(interrupted())
    wake()
  }

  return {
    terminal,
    feed: (bytes) => {
      lastInput = now?.() ?? 0
      accept(utf8.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
      if (lines.length > 0) wake()
      else options.pull()
    },
    end: () => {
      accept(utf8.end())
      // A last line without its line feed is a line.
      if (partial !== '') lines.push(partial)
      partial = ''
      ended = true
      wake()
    },
    interrupt: stop,
  }
}

const visible = (line: string): string => line.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '?')
