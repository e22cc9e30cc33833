import { Chalk } from 'chalk'
import { Interrupted } from '../core/errors.ts'
import type { CommandHistory } from '../shell/history.ts'
import type { PaintStyle, Terminal } from '../shell/terminal.ts'
import { createKeyPump } from './key-pump.ts'
import { createLinePrompt } from './line-prompt.ts'
import type { LinePrompt } from './line-prompt.ts'

export interface TtyOptions {
  /** Towards the operator; a line feed is sent as it is, the terminal driver at the other end adds the carriage return. */
  readonly write: (data: string | Uint8Array) => void
  readonly drained?: () => Promise<void>
  readonly size: () => { readonly columns: number; readonly rows: number }
  readonly colour: boolean
  readonly origin: string
  readonly history: CommandHistory
  /** The input may flow again after `feed` answered false. */
  readonly resume: () => void
  /** Monotonic milliseconds; with it the session ends when nobody types for too long. */
  readonly now?: () => number
}

/** A terminal where somebody types, and the ends at which its owner pushes what comes in. */
export interface Tty {
  readonly terminal: Terminal
  /** False: stop reading until `resume` is called. */
  feed(this: void, bytes: Uint8Array): boolean
  /** The operator's side has gone. */
  end(this: void): void
  /** Ctrl-C that came as a signal. */
  interrupt(this: void): void
}

/** Used where the window has no size (0×0 over some links). */
const FALLBACK = { columns: 80, rows: 24 }
const INTERRUPT_KEY = '\u0003'

export const createTty = (options: TtyOptions): Tty => {
  const { write, history } = options
  const pump = createKeyPump(options.resume)
  const columns = (): number => within(options.size().columns, FALLBACK.columns)
  const rows = (): number => within(options.size().rows, FALLBACK.rows)
  let prompt: Promise<LinePrompt> | null = null
  const { now } = options
  let lastInput = now?.() ?? 0
  const chalk = new Chalk({ level: options.colour ? 1 : 0 })
  const styles: Readonly<Record<PaintStyle, (text: string) => string>> = {
    bad: chalk.red,
    warning: chalk.yellow,
    good: chalk.green,
    faint: chalk.dim,
    strong: chalk.bold,
  }

  const terminal: Terminal = {
    get columns() {
      return columns()
    },
    get rows() {
      return rows()
    },
    colour: options.colour,
    interactive: true,
    origin: options.origin,
    write,
    paint: (style, text) => styles[style](text),
    ...(options.drained === undefined ? {} : { drained: options.drained }),
    readLine: async (question, read = {}) => {
      prompt ??= createLinePrompt({ pump, write, columns })
      const past = read.history === 'commands' ? history.entries() : []
      const line = await (await prompt).read(question, { ...read, past })
      if (line !== null && read.history === 'commands') history.add(line)
      return line
    },
    readKey: async (question) => {
      write(question)
      const key = await nextKey(pump)
      // The question takes itself away, so that the pages read as one text.
      write('\r\u001b[K')
      if (key === INTERRUPT_KEY) throw new Interrupted('Ctrl-C')
      return key
    },
    untilInterrupt: () => {
      const controller = new AbortController()
      const abort = (): void => controller.abort(new Interrupted('Ctrl-C'))
      if (pump.takePendingInterrupt()) abort()
      const done = pump.onInterrupt(abort)
      return { signal: controller.signal, done }
    },
    raw: (onData) => {
      const done = pump.takeRaw(onData)
      return { write, done }
    },
    ...(now === undefined
      ? {}
      : {
          presence: {
            lastInput: () => lastInput,
            // Ctrl-C first: a line that was begun must not be taken for a command.
            hangUp: () => {
              pump.interrupt()
              pump.end()
            },
          },
        }),
  }
  return {
    terminal,
    feed: (bytes) => {
      lastInput = now?.() ?? 0
      return pump.feed(bytes)
    },
    end: pump.end,
    interrupt: pump.interrupt,
  }
}

const within = (size: number, fallback: number): number =>
  Number.isInteger(size) && size > 0 ? Math.min(size, 10_000) : fallback

const nextKey = (pump: ReturnType<typeof createKeyPump>): Promise<string | null> =>
  new Promise((resolve) => {
    const detach = pump.attach({
      key: (sequence) => {
        detach()
        resolve(sequence)
      },
      end: () => {
        resolve(null)
      },
    })
  })
