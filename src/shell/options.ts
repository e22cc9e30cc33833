import { Command, CommanderError, Option } from 'commander'
import { UserError } from '../core/errors.ts'
import type { Field } from '../core/schema.ts'
import type { Form, Session } from './command.ts'

export interface FormWords {
  readonly words: readonly string[]
  /** Values of `--name=value`, `--name value` and `-n value`; `''` for a flag that is set. */
  readonly options: Readonly<Record<string, string | undefined>>
  /** Values of the options that may be repeated, in order. */
  readonly repeated: Readonly<Record<string, readonly string[] | undefined>>
}

export interface FormTakes {
  readonly min: number
  readonly max: number
  /** Options by name; a name of one letter is `-n`. */
  readonly values?: readonly string[]
  readonly flags?: readonly string[]
  readonly repeatable?: readonly string[]
}

/** What is wrong with a batch line, and how it goes; the only wording of it. */
export const misused = (why: string, usage: string): UserError => new UserError(`${why} Usage: ${usage}`)

/**
 * Splits what follows a batch form's words into plain words and options.
 * @throws UserError with the usage when there are more or fewer words, or an option that the form does not have.
 */
export const readForm = (usage: string, args: readonly string[], takes: FormTakes): FormWords => {
  const { words, values } = parse(usage, args, takes)
  if (words.length < takes.min) throw misused('A value is missing.', usage)
  if (words.length > takes.max)
    throw misused(`There is nothing to do with '${words.slice(takes.max).join(' ')}'.`, usage)
  const entries = Object.entries(values)
  const single = entries.flatMap(([name, value]) => (Array.isArray(value) ? [] : [[name, value === true ? '' : value]]))
  return {
    words,
    options: Object.fromEntries(single) as FormWords['options'],
    repeated: Object.fromEntries(entries.filter(([, value]) => Array.isArray(value))) as FormWords['repeated'],
  }
}

/** What a word of a batch line stands for. @throws UserError with what the field says. */
export const readValue = <T>(field: Field<T>, word: string): T => {
  const parsed = field.parse(word)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

/**
 * A batch form that takes plain words only: `takes` of them, or from the first to the second number.
 * `usage` is the whole line as `help` shows it.
 */
export const wordForm = (
  usage: string,
  words: readonly string[],
  takes: number | readonly [number, number],
  act: (session: Session, given: readonly string[]) => unknown,
): Form => {
  const [min, max] = typeof takes === 'number' ? [takes, takes] : takes
  return {
    usage,
    words,
    run: async (session, args) => {
      await act(session, readForm(usage, args, { min, max }).words)
    },
  }
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

const parse = (
  usage: string,
  args: readonly string[],
  { values = [], flags = [], repeatable = [] }: FormTakes,
): { readonly words: readonly string[]; readonly values: Readonly<Record<string, unknown>> } => {
  refuseSwallowed(usage, args, values)
  const command = new Command()
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .helpOption(false)
    .argument('[words...]')
  const options = new Map<string, Option>()
  const add = (name: string, option: Option): void => {
    options.set(name, option)
    command.addOption(option)
  }
  for (const name of flags) add(name, new Option(dashed(name)))
  for (const name of values) add(name, new Option(`${dashed(name)} <value>`))
  for (const name of repeatable)
    add(
      name,
      new Option(`${dashed(name)} <value>`).argParser((value: string, before: readonly string[] = []) => [
        ...before,
        value,
      ]),
    )
  try {
    command.parse([...args], { from: 'user' })
  } catch (error) {
    throw misused(reason(error), usage)
  }
  const given = command.opts<Record<string, unknown>>()
  const found = [...options].map(([name, option]) => [name, given[option.attributeName()]] as const)
  return { words: command.args, values: Object.fromEntries(found.filter(([, value]) => value !== undefined)) }
}

/** `--comment --tls=off`: commander would take the second option for the value of the first. */
const refuseSwallowed = (usage: string, args: readonly string[], values: readonly string[]): void => {
  const end = args.indexOf('--')
  const named = (end === -1 ? args : args.slice(0, end)).find(
    (arg, i) => arg.startsWith('--') && values.includes(arg.slice(2)) && args[i + 1]?.startsWith('--') === true,
  )
  if (named !== undefined) throw misused(`The option ${named} needs a value.`, usage)
}

const reason = (error: unknown): string => {
  if (!(error instanceof CommanderError)) throw error
  const [, what = ''] = /'([^' =]+)/.exec(error.message) ?? []
  if (error.code === 'commander.unknownOption') return `There is no option ${what}.`
  if (error.code === 'commander.optionMissingArgument') return `The option ${what} needs a value.`
  return 'The options cannot be read.'
}
