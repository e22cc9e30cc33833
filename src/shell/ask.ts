import { EndOfInput, UserError } from '../core/errors.ts'
import { integer, list, yesNo } from '../core/schema.ts'
import type { Field } from '../core/schema.ts'
import type { Ask } from './command.ts'
import type { Output } from './output.ts'
import type { ReadLineOptions, Terminal } from './terminal.ts'

/** An answer that was refused while a script is read: asking again would take the script's next line for the answer. */
export class RefusedAnswer extends UserError {
  override name = 'RefusedAnswer'
}

export interface AskDeps {
  readonly terminal: Terminal
  readonly output: Output
  /** Told of every answer, for cli_logs; the answer to a secret question arrives masked. */
  readonly entered: (answer: string, prompt: string) => void
}

/** More pasted text than this is an accident. */
const MAX_PASTE = 16 * 1024 * 1024
const MASK = '*****'

interface Question<T> {
  /** Lines above the prompt, written once. */
  readonly head: readonly string[]
  readonly prompt: string
  readonly secret?: boolean
  readonly complete?: (part: string) => readonly string[]
  /** null = refused, with the reason; asked again. */
  readonly read: (answer: string) => { readonly value: T } | { readonly reason: string }
}

/** Questions in the appliance's form; the only way in which a dialogue reads from its operator. */
export const createAsk = ({ terminal, output, entered }: AskDeps): Ask => {
  /** Ctrl-C ends the line on the screen as Enter does. */
  const typed = async (prompt: string, options?: ReadLineOptions): Promise<string | null> => {
    try {
      return await terminal.readLine(prompt, options)
    } finally {
      output.lineRead()
    }
  }

  const readLine = async (
    head: readonly string[],
    prompt: string,
    options: Pick<Question<unknown>, 'secret' | 'complete'>,
  ) => {
    const answer = await typed(prompt, {
      ...(options.secret === true ? { secret: true } : {}),
      ...(options.complete === undefined ? {} : { complete: options.complete }),
    })
    if (answer === null) throw new EndOfInput('The input ended inside a dialogue.')
    entered(options.secret === true && answer !== '' ? MASK : answer, `\n${[...head, prompt].join('\n')}`)
    return answer
  }

  const ask = async <T>(question: Question<T>): Promise<T> => {
    output.print(...question.head)
    for (;;) {
      const result = question.read(await readLine(question.head, question.prompt, question))
      output.write('\n')
      if ('value' in result) return result.value
      if (terminal.batch !== undefined) throw new RefusedAnswer(result.reason)
      output.print(result.reason)
    }
  }

  const parsed =
    <T>(field: Field<T>, initial?: { readonly value: T }): Question<T>['read'] =>
    (answer) => {
      if (answer.trim() === '' && initial !== undefined) return initial
      const result = field.parse(answer)
      return result.ok ? { value: result.value } : { reason: result.error }
    }

  const heading = (question: string): readonly string[] => (question === '' ? [] : question.split('\n'))
  const numbered = <T>(question: string, items: readonly T[], label: (item: T) => string): readonly string[] => [
    ...heading(question),
    ...items.map((item, i) => `${i + 1}. ${label(item)}`),
  ]

  return {
    field: <T>(
      question: string,
      field: Field<T>,
      initial?: T,
      options: { readonly bare?: boolean; readonly secret?: boolean } = {},
    ) => {
      const shown = initial === undefined ? '' : options.secret === true ? MASK : field.format(initial)
      return ask({
        head: heading(question),
        prompt: options.bare === true ? '> ' : `[${shown}]> `,
        ...(options.secret === true ? { secret: true } : {}),
        ...(field.complete === undefined ? {} : { complete: (part: string) => field.complete?.(part) ?? [] }),
        read: parsed(field, initial === undefined ? undefined : { value: initial }),
      })
    },

    optional: <T>(question: string, field: Field<T>) =>
      ask<T | null>({
        head: heading(question),
        prompt: '[]> ',
        read: parsed<T | null>(field, { value: null }),
      }),

    confirm: (question, initial) => {
      const lines = question.split('\n')
      return ask({
        head: lines.slice(0, -1),
        prompt: `${lines.at(-1)} [${yesNo.format(initial)}]> `,
        read: parsed(yesNo, { value: initial }),
      })
    },

    choose: <K extends string>(options: Readonly<Partial<Record<K, string>>>, question?: string) => {
      const words = Object.keys(options) as K[]
      output.blank()
      return ask<K | null>({
        head: [
          ...heading(question ?? 'Choose the operation you want to perform:'),
          ...words.map((word) => `- ${word} - ${options[word]}`),
        ],
        prompt: '[]> ',
        complete: (part) => words.filter((w) => w.startsWith(part.toUpperCase())),
        read: (answer) => {
          const typed = answer.trim().toUpperCase()
          if (typed === '') return { value: null }
          const hits = words.filter((w) => w.toUpperCase().startsWith(typed))
          const hit = words.find((w) => w.toUpperCase() === typed) ?? (hits.length === 1 ? hits[0] : undefined)
          return hit === undefined ? { reason: `The value must be one of: ${words.join(', ')}.` } : { value: hit }
        },
      })
    },

    pick: <T>(question: string, items: readonly T[], label: (item: T) => string, initial?: number) => {
      const choice = integer(1, items.length)
      return ask<T>({
        head: numbered(question, items, label),
        prompt: `[${initial === undefined ? '' : initial + 1}]> `,
        read: (answer) => {
          const at = parsed(choice, initial === undefined ? undefined : { value: initial + 1 })(answer)
          if ('reason' in at) return answer.trim() === '' ? { reason: 'A value is required.' } : at
          return { value: items[at.value - 1] as T }
        },
      })
    },

    pickMany: <T>(question: string, items: readonly T[], label: (item: T) => string, initial?: readonly number[]) => {
      const choice = list(integer(1, items.length))
      const preset = initial?.map((i) => i + 1)
      return ask<readonly T[]>({
        head: numbered(question, items, label),
        prompt: `[${preset === undefined ? '' : choice.format(preset)}]> `,
        read: (answer) => {
          const at = parsed(choice, preset === undefined ? undefined : { value: preset })(answer)
          return 'reason' in at ? at : { value: [...new Set(at.value)].map((n) => items[n - 1] as T) }
        },
      })
    },

    paste: async (question, options = {}) => {
      output.print(...heading(question))
      const lines: string[] = []
      let size = 0
      for (;;) {
        const line = await typed('')
        if (line === null && options.eof !== true) throw new EndOfInput('The input ended inside a dialogue.')
        if (line === null || line === '.') break
        size += line.length + 1
        if (size > MAX_PASTE) throw new UserError(`The text is larger than ${MAX_PASTE / 1024 / 1024} MB.`)
        lines.push(line)
      }
      // Pasted text may hold passphrases (loadconfig): the audit log tells how much, not what.
      entered(`(${lines.length} lines)`, `\n${question}\n`)
      output.write('\n')
      return lines.join('\n')
    },
  }
}
