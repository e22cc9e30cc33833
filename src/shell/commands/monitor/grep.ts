import { UserError } from '../../../core/errors.ts'
import { compilePattern } from '../../../core/regex.ts'
import type { Pattern } from '../../../core/regex.ts'
import { integer } from '../../../core/schema.ts'
import { grep, isHit } from '../../../logs/grep.ts'
import type { GrepOptions } from '../../../logs/grep.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { colourLine } from '../../format/colour.ts'
import { logNamed, logNames, pickLog } from '../../format/log-list.ts'
import { patternField } from '../../format/pattern-field.ts'
import { misused, readForm } from '../../options.ts'

const USAGE = 'grep [-C count] [-e regex]... [-i] [-p] [-t] [-v] [regex] LOG_NAME'
const MAX_CONTEXT = 1000

interface Wish extends GrepOptions {
  readonly log: string
  readonly page: boolean
  readonly tail: boolean
}

const compiled = (source: string, ignoreCase: boolean): Pattern => {
  const pattern = compilePattern(source, { ignoreCase })
  if (!pattern.ok) throw new UserError(pattern.error)
  return pattern.value
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
    patterns: sources.map((s) => compiled(s, options['i'] !== undefined)),
    context: context.value,
    invert: options['v'] !== undefined,
    page: options['p'] !== undefined,
    tail: options['t'] !== undefined,
  }
}

async function* hits(session: Session, wish: Wish, signal: AbortSignal): AsyncGenerator<string> {
  const { logs } = session.appliance
  const show = (line: string): string => colourLine(session.terminal, line)
  let found = false
  for await (const line of grep(logs.read(wish.log, signal), wish)) {
    found = true
    yield show(line)
  }
  if (!found && !wish.tail && !signal.aborted)
    yield 'No results were found. Use another regular expression(s) to search.'
  if (wish.tail) for await (const line of logs.tail(wish.log, 0, signal)) if (isHit(wish, line)) yield show(line)
}

const run = async (session: Session, wish: Wish): Promise<void> => {
  const interrupt = session.terminal.untilInterrupt()
  try {
    const lines = hits(session, wish, interrupt.signal)
    if (wish.page) await session.page(lines)
    else for await (const line of lines) session.print(line)
  } catch (error) {
    // Ctrl-C ends the reading of a file with its own error.
    if (!interrupt.signal.aborted) throw error
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
    await run(session, { log: log.name, patterns: [compiled(source, ignoreCase)], context: 0, invert, tail, page })
  },
  complete: (session) => logNames(session),
})
