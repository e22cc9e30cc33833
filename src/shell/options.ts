import { parseArgs } from 'node:util'
import { UserError } from '../core/errors.ts'

export interface FormWords {
  readonly words: readonly string[]
  /** Values of `--name=value` and `--name value`; `''` for a flag that is set. */
  readonly options: Readonly<Record<string, string | undefined>>
}

/**
 * Splits what follows a batch form's words into plain words and `--options`.
 * @throws UserError with the usage when there are more or fewer words, or an option that the form does not have.
 */
export const readForm = (
  usage: string,
  args: readonly string[],
  takes: {
    readonly min: number
    readonly max: number
    readonly values?: readonly string[]
    readonly flags?: readonly string[]
  },
): FormWords => {
  const wrong = (why: string): UserError => new UserError(`${why} Usage: ${usage}`)
  const options = {
    ...Object.fromEntries((takes.values ?? []).map((name) => [name, { type: 'string' as const }])),
    ...Object.fromEntries((takes.flags ?? []).map((name) => [name, { type: 'boolean' as const }])),
  }
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch {
    throw wrong('The options cannot be read.')
  }
  const words = parsed.positionals
  if (words.length < takes.min) throw wrong('A value is missing.')
  if (words.length > takes.max) throw wrong(`There is nothing to do with '${words.slice(takes.max).join(' ')}'.`)
  const given = Object.entries(parsed.values).map(([name, value]) => [name, value === true ? '' : String(value)])
  return { words, options: Object.fromEntries(given) as Readonly<Record<string, string | undefined>> }
}
