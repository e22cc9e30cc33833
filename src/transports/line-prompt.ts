import type { EventEmitter } from 'node:events'
import type enquirer from 'enquirer'
import { Interrupted } from '../core/errors.ts'
import type { ReadLineOptions } from '../shell/terminal.ts'
import type { KeyPump } from './key-pump.ts'
import { LineEditor } from './line-editor.ts'
import { createLineView } from './line-view.ts'

/** Reads lines that an operator edits; enquirer stands behind it and nowhere else. */
export interface LinePrompt {
  /** null = the input has ended. @throws Interrupted on Ctrl-C */
  read(prompt: string, options: ReadLineOptions & { readonly past: readonly string[] }): Promise<string | null>
}

export interface LinePromptDeps {
  readonly pump: KeyPump
  readonly write: (text: string) => void
  readonly columns: () => number
}

/** The part of enquirer's Prompt (2.4.1) that we use and override; its own type declares less. */
interface PromptBase extends EventEmitter {
  readonly state: { closed?: boolean; submitted?: boolean; cancelled?: boolean }
  run(): Promise<unknown>
  keypress(input: string): Promise<unknown>
}
type PromptClass = new (options: object) => PromptBase

const BELL = '\u0007'

/** Keys → methods below. Ours alone: enquirer's own map has Esc and Ctrl-M cancel, and Ctrl-D delete. */
const ACTIONS = {
  ctrl: {
    a: 'home',
    b: 'left',
    c: 'cancel',
    d: 'endOrDelete',
    e: 'end',
    f: 'right',
    h: 'backspace',
    k: 'cutToEnd',
    l: 'redraw',
    n: 'newer',
    p: 'older',
    u: 'cutToStart',
    w: 'cutWord',
    left: 'wordLeft',
    right: 'wordRight',
  },
  keys: {
    return: 'submit',
    tab: 'complete',
    backspace: 'backspace',
    delete: 'deleteForward',
    left: 'left',
    right: 'right',
    up: 'older',
    down: 'newer',
    home: 'home',
    end: 'end',
  },
  shift: {},
  option: {},
}

/** Alt+letter, which enquirer's decoder gives no name. */
const ALT: Readonly<Record<string, 'wordLeft' | 'wordRight' | 'cutWord'>> = {
  '\u001bb': 'wordLeft',
  '\u001bf': 'wordRight',
  '\u001b\u007f': 'cutWord',
}

export const createLinePrompt = async (deps: LinePromptDeps): Promise<LinePrompt> => {
  const { default: loaded } = (await import('enquirer')) as unknown as { default: typeof enquirer }
  const Line = lineClass(loaded.Prompt as unknown as PromptClass, deps)
  return {
    read: async (prompt, options) => {
      const line = new Line(prompt, options)
      return (await line.run()) as string | null
    },
  }
}

type ReadOptions = ReadLineOptions & { readonly past: readonly string[] }

/* Drawing and listening are ours (enquirer's would redraw with glyphs, lose type-ahead and hang at the end of input);
   enquirer gives the life of a prompt (run, submit, cancel) and the names of keys. */
const lineClass = (Prompt: PromptClass, { pump, write, columns }: LinePromptDeps) =>
  class Line extends Prompt {
    readonly #prompt: string
    readonly #read: ReadOptions
    readonly #view = createLineView(write, columns)
    readonly #editor: LineEditor
    #detach: () => void = () => undefined

    constructor(prompt: string, read: ReadOptions) {
      const sink = { write: () => true, columns: 80 }
      super({ name: 'line', message: prompt, actions: ACTIONS, stdout: sink, stdin: sink, show: false })
      this.#prompt = prompt
      this.#read = read
      this.#editor = new LineEditor(read.secret === true ? null : this.#view, read.past)
    }

    start(): void {
      this.emit('start', this)
    }

    render(): void {
      if (this.state.closed === true) return
      // The prompt first, the keys after: else an early echo stands before its prompt.
      this.#view.prompt(this.#prompt)
      this.#detach = pump.attach({
        key: (sequence) => this.#key(sequence),
        end: () => {
          if (this.#editor.text === '') this.#finish('\n', 'submit', null)
          else this.submit()
        },
      })
    }

    #key(sequence: string): void | Promise<void> {
      const alt = ALT[sequence]
      if (alt !== undefined) {
        this.#editor[alt]()
        return undefined
      }
      const done = this.keypress(sequence)
      if (sequence === '\t') return done.then(() => undefined)
      // keypress calls our methods before its first await; only completion waits for anything.
      done.catch(() => undefined)
      return undefined
    }

    /** Everything that is no action: text. Sequences of keys that we do not know are dropped. */
    dispatch(text: string): void {
      if (text >= ' ' && !text.startsWith('\u001b')) this.#editor.insert(text)
    }

    alert(): void {
      write(BELL)
    }

    submit(): void {
      const { text } = this.#editor
      this.#finish(this.#read.secret === true ? '\n' : '', 'submit', text)
    }

    cancel(): void {
      this.#editor.end()
      this.#finish('^C\n', 'cancel', new Interrupted('Ctrl-C'))
    }

    endOrDelete(): void {
      if (this.#editor.text === '') this.#finish('\n', 'submit', null)
      else this.#editor.deleteForward()
    }

    async complete(): Promise<void> {
      const before = this.#editor.beforeCursor
      const found = await this.#read.complete?.(before)
      if (this.state.closed === true) return
      if (found === undefined || found.length === 0) {
        this.alert()
        return
      }
      const part = /[^\s;]*$/.exec(before)?.[0] ?? ''
      const [only] = found
      const common = found.length === 1 ? `${only} ` : commonPrefix(found)
      if (common.length > part.length) this.#editor.replaceBefore(part.length, common)
      else {
        this.#editor.end()
        this.#view.leave()
        write(`${found.join(', ')}\n`)
        this.#view.prompt(this.#prompt)
        this.#editor.redraw()
      }
    }

    redraw(): void {
      write('\u001b[H\u001b[2J')
      this.#view.prompt(this.#prompt)
      this.#editor.redraw()
    }

    left(): void {
      this.#editor.left()
    }
    right(): void {
      this.#editor.right()
    }
    wordLeft(): void {
      this.#editor.wordLeft()
    }
    wordRight(): void {
      this.#editor.wordRight()
    }
    home(): void {
      this.#editor.home()
    }
    end(): void {
      this.#editor.end()
    }
    older(): void {
      this.#editor.older()
    }
    newer(): void {
      this.#editor.newer()
    }
    backspace(): void {
      this.#editor.backspace()
    }
    deleteForward(): void {
      this.#editor.deleteForward()
    }
    cutWord(): void {
      this.#editor.cutWord()
    }
    cutToStart(): void {
      this.#editor.cutToStart()
    }
    cutToEnd(): void {
      this.#editor.cutToEnd()
    }

    #finish(last: string, event: 'submit' | 'cancel', result: unknown): void {
      if (this.state.closed === true) return
      this.state.closed = true
      this.#detach()
      if (last === '') {
        this.#editor.end()
        this.#view.leave()
      } else write(last)
      this.emit(event, result)
      this.emit('close')
    }
  }

const commonPrefix = (words: readonly string[]): string =>
  words.reduce((a, b) => {
    let n = 0
    while (n < a.length && n < b.length && a[n]?.toLowerCase() === b[n]?.toLowerCase()) n++
    return a.slice(0, n)
  })
