import { UserError } from '../../../core/errors.ts'
import { compilePattern } from '../../../core/regex.ts'
import { integer } from '../../../core/schema.ts'
import type { LogSearch } from '../../../logs/ports.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { colourLine } from '../../format/colour.ts'
import { printLines } from '../../format/log-lines.ts'
import { logNamed, logNames, pickLog } from '../../format/log-list.ts'
import { patternField } from '../../format/pattern-field.ts'
import { misused, readForm } from '../../options.ts'

const USAGE = 'grep [-C count] [-e regex]... [-i] [-p] [-t] [-v] [regex] LOG_NAME'
const MAX_CONTEXT = 1000

interface Wish extends LogSearch {
  readonly log: string
  readonly page: boolean
  readonly tail: boolean
}

/** @throws UserError when it is no regular expression. */
const checked = (source: string, ignoreCase: boolean): string => {
  const pattern = compilePattern(source, { ignoreCase })
  if (!pattern.ok) throw new UserError(pattern.error)
  return source
}

/** @throws UserError with the usage. */
export const readWish = (args: readonly string[]): Wish => {
  const { words, options, repeated } = readForm(USAGE, args, {
    min: 0,
    max: 2,
    values: ['C'],
    flags: ['i', 'p', 't', 'v'],
    repeatable: ['e'],
  })
  const log = words.at(-1)
  const sources = [...(repeated['e'] ?? []), ...words.slice(0, -1)]
  if (log === undefined || sources.length === 0)
    throw misused('A regular expression and the name of a log are needed.', USAGE)
  const context = integer(0, MAX_CONTEXT).parse(options['C'] ?? '0')
  if (!context.ok) throw new UserError(`-C: ${context.error}`)
  return {
    log,
    patterns: sources.map((s) => checked(s, options['i'] !== undefined)),
    ignoreCase: options['i'] !== undefined,
    context: context.value,
    invert: options['v'] !== undefined,
    page: options['p'] !== undefined,
    tail: options['t'] !== undefined,
  }
}

const NONE = 'No results were found. Use another regular expression(s) to search.'

/** Single lines for the pager, which stops at any of them. */
async function* singly(session: Session, wish: Wish, signal: AbortSignal): AsyncGenerator<string> {
  let found = false
  for await (const lines of session.appliance.logs.search(wish.log, wish, signal))
    for (const line of lines) {
      found = true
      yield colourLine(session.terminal, line)
    }
  if (!found && !signal.aborted) yield NONE
}

const run = async (session: Session, wish: Wish): Promise<void> => {
  const { logs } = session.appliance
  const interrupt = session.terminal.untilInterrupt()
  const { signal } = interrupt
  try {
    if (wish.page && !wish.tail) return await session.page(singly(session, wish, signal))
    const found = await printLines(session, logs.search(wish.log, wish, signal))
    if (wish.tail) await printLines(session, logs.watch(wish.log, wish, signal))
    else if (found === 0 && !signal.aborted) session.print(NONE)
  } finally {
    interrupt.done()
  }
}

export default defineCommand({
  name: 'grep',
  summary: 'Search a log with regular expressions',
  description:
    'Prints the lines of all files of a log, oldest first, that match one of the regular expressions. Without arguments it asks.',
  options: {
    '-C count': 'so many lines around each hit',
    '-e regex': 'a regular expression; may be repeated, one of them must match',
    '-i': 'case does not matter',
    '-p': 'stop at each screenful',
    '-t': 'go on with what is written to the log, until Ctrl-C',
    '-v': 'the lines that do not match',
  },
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const wish = readWish(args)
        logNamed(session, wish.log)
        await run(session, wish)
      },
    },
  ],
  run: async (session) => {
    const log = await pickLog(session, 'Enter the number of the log you wish to grep.')
    const source = await session.ask.field('Enter the regular expression to grep.', patternField)
    const ignoreCase = await session.ask.confirm('Do you want this search to be case insensitive?', true)
    const invert = await session.ask.confirm('Do you want to search for non-matching lines?', false)
    const tail = await session.ask.confirm('Do you want to tail the logs?', false)
    const page = await session.ask.confirm('Do you want to paginate the output?', false)
    const patterns = [checked(source, ignoreCase)]
    await run(session, { log: log.name, patterns, ignoreCase, context: 0, invert, tail, page })
  },
  complete: (session) => logNames(session),
})
