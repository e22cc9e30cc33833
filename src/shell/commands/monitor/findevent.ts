import type { LogSubscription } from '../../../config/sections/log-subscriptions.ts'
import { UserError } from '../../../core/errors.ts'
import { regexParts } from '../../../core/regex-parts.ts'
import { compilePattern } from '../../../core/regex.ts'
import { integer } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import type { LogFile } from '../../../logs/ports.ts'
import { storyLines } from '../../../logs/search.ts'
import type { TrackedMessage, TrackingField } from '../../../store/tracking.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { colourLine } from '../../format/colour.ts'
import { logNamed, logNames, pickLog } from '../../format/log-list.ts'
import { patternField } from '../../format/pattern-field.ts'
import { misused, readForm } from '../../options.ts'

const SEARCH_USAGE = 'findevent [-i] [-f from | -s subject | -t to | -I message_id] [LOG_NAME]'
const MID_USAGE = 'findevent -m mid [LOG_NAME]'
const MAX_FOUND = 1000

type Kind = { readonly field: TrackingField; readonly option: string; readonly title: string }
const KINDS: readonly Kind[] = [
  { field: 'from', option: 'f', title: 'Search by envelope FROM' },
  { field: 'message-id', option: 'I', title: 'Search by Message ID' },
  { field: 'subject', option: 's', title: 'Search by Subject' },
  { field: 'to', option: 't', title: 'Search by envelope TO' },
]

/** Runs until done or Ctrl-C. */
const interruptible = async (session: Session, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
  const interrupt = session.terminal.untilInterrupt()
  try {
    await work(interrupt.signal)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    interrupt.done()
  }
}

const printStory = async (session: Session, log: string, mid: number, files?: readonly LogFile[]): Promise<void> =>
  await interruptible(session, async (signal) => {
    let found = false
    for await (const line of storyLines(() => session.appliance.logs.read(log, signal, files), mid)) {
      found = true
      session.print(colourLine(session.terminal, line))
    }
    if (!found) session.print(`No lines about MID ${mid} were found.`)
  })

const label = (session: Session, m: TrackedMessage): string =>
  `MID ${m.mid} (${session.appliance.time.stamp(m.at)}) ${printableCut(m.subject ?? '', 100)}`.trimEnd()

/** Of `Subject: .*` as of `<a.b@example.com>`: what it would say as a text. */
const typedText = (source: string): string => source.replace(/^\^|\$$/g, '').replace(/\\([^\w\s])/g, '$1')

const search = (
  session: Session,
  field: TrackingField,
  source: string,
  ignoreCase: boolean,
  signal: AbortSignal,
): AsyncIterable<TrackedMessage> => {
  const pattern = compilePattern(source, { ignoreCase })
  if (!pattern.ok) throw new UserError(pattern.error)
  const wish = {
    matches: (text: string) => pattern.value.test(text),
    literal: ignoreCase ? '' : (regexParts(source)?.literal ?? ''),
    typed: typedText(source),
  }
  return session.appliance.tracking.search(field, wish, MAX_FOUND, signal)
}

/** The subscriptions that hold stories; the first is meant where none is named. */
const mailLogs = ({ appliance }: Session): readonly LogSubscription[] =>
  appliance.logs.subscriptions().filter((s) => s.type === 'mail_logs')

const NOTHING = 'No matching message IDs were found.'

const batch = async (session: Session, args: readonly string[]): Promise<void> => {
  const usage = `${SEARCH_USAGE} | ${MID_USAGE}`
  const { words, options } = readForm(usage, args, { min: 0, max: 1, values: ['f', 's', 't', 'I', 'm'], flags: ['i'] })
  const log = (words[0] === undefined ? mailLogs(session)[0] : logNamed(session, words[0]))?.name
  if (log === undefined) throw new UserError('There is no subscription of type mail_logs; name the log to search.')
  const asked = KINDS.flatMap(({ field, option }) => {
    const source = options[option]
    return source === undefined ? [] : [{ field, source }]
  })
  if (asked.length + (options['m'] === undefined ? 0 : 1) !== 1)
    throw misused('Exactly one of -f, -s, -t, -I and -m is needed.', usage)
  if (options['m'] !== undefined) {
    const mid = integer(1, Number.MAX_SAFE_INTEGER).parse(options['m'])
    if (!mid.ok) throw new UserError(`-m: ${mid.error}`)
    return await printStory(session, log, mid.value)
  }
  const [wish] = asked
  if (!wish) return
  await interruptible(session, async (signal) => {
    const found = search(session, wish.field, wish.source, options['i'] !== undefined, signal)
    let count = 0
    await session.page(
      (async function* () {
        for await (const message of found) yield `${++count}. ${label(session, message)}`
        if (count === 0) yield NOTHING
      })(),
    )
  })
}

/** Which of a log's files to look into; a message is in the file that was open when it came. */
const pickFiles = async (session: Session, log: string): Promise<readonly LogFile[]> => {
  const files = session.appliance.logs.files(log)
  const which = await session.ask.pick(
    'Please choose which set of logs to search:',
    ['All available log files', 'Select log files by date list', 'Current log file'],
    (s) => s,
    2,
  )
  if (files.length === 0 || which.startsWith('All')) return files
  if (which.startsWith('Current')) return files.slice(-1)
  return await session.ask.pickMany('Please choose the log files. Separate multiple choices with commas.', files, (f) =>
    session.appliance.time.stamp(f.openedAt),
  )
}

const within = (session: Session, log: string, chosen: readonly LogFile[]) => {
  const all = session.appliance.logs.files(log)
  if (chosen.length >= all.length) return () => true
  const spans = chosen.map((file) => {
    const next = all[all.findIndex((f) => f.path === file.path) + 1]
    return { from: file.openedAt.getTime(), to: next?.openedAt.getTime() ?? Infinity }
  })
  // File names have whole seconds.
  return (at: Date) => spans.some((s) => Math.floor(at.getTime() / 1000) * 1000 >= s.from && at.getTime() < s.to)
}

const wizard = async (session: Session): Promise<void> => {
  const title = 'Please choose which type of search you want to perform:'
  const kind = await session.ask.pick(title, KINDS, (k) => k.title, 0)
  const source = await session.ask.field('Enter the regular expression to search for.', patternField)
  const ignoreCase = await session.ask.confirm('Do you want this search to be case insensitive?', true)
  const question = 'Enter the number of the log you wish to use for message tracking.'
  const { name } = await pickLog(session, question, mailLogs(session))
  const files = await pickFiles(session, name)
  const inside = within(session, name, files)
  const found: TrackedMessage[] = []
  await interruptible(session, async (signal) => {
    for await (const m of search(session, kind.field, source, ignoreCase, signal)) if (inside(m.at)) found.push(m)
  })
  if (found.length === 0) return session.print(NOTHING)
  const head = 'The following matching message IDs were found.  Please choose one to\nshow additional log information:'
  const { mid } = await session.ask.pick(head, found, (m) => label(session, m), 0)
  await printStory(session, name, mid, files)
}

export default defineCommand({
  name: 'findevent',
  summary: 'Find messages in the logs and tell their story',
  description:
    'Finds messages by envelope sender, subject, envelope recipient or Message-ID, newest first. -m prints every line about a message: ' +
    'its injection and delivery connections, what was split off or rewritten, retrospection and remediation. ' +
    'Without the name of a log it looks into the first of type mail_logs. Without arguments it asks.',
  options: {
    '-f from': 'the envelope sender, a regular expression',
    '-s subject': 'the subject, a regular expression',
    '-t to': 'an envelope recipient, a regular expression',
    '-I message_id': 'the Message-ID, a regular expression',
    '-i': 'case does not matter',
    '-m mid': 'every line about this message',
  },
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [{ usage: `${SEARCH_USAGE}\n${MID_USAGE}`, words: [], run: batch }],
  run: wizard,
  complete: (session) => logNames(session),
})
