import { LOG_LEVELS, LOG_TYPES, logSubscriptions } from '../../../config/sections/log-subscriptions.ts'
import type { LogLevel, LogSubscription, LogTypeName } from '../../../config/sections/log-subscriptions.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { LOG_TYPE_TITLES, RETRIEVALS, logTable } from '../../format/log-list.ts'
import { readValue, wordForm } from '../../options.ts'
import { PUSH_OPTIONS, PUSH_USAGE, askPush, pushOf } from './log/push.ts'

const LEVEL_TITLES: Readonly<Record<LogLevel, string>> = {
  Critical: 'Critical',
  Warning: 'Warning',
  Info: 'Information',
  Debug: 'Debug',
  Trace: 'Trace',
}
/** The usual stem of the file names of a type: mail_logs writes `mail.@…`. */
const STEMS: Readonly<Record<LogTypeName, string>> = {
  mail_logs: 'mail',
  ecs: 'ecs',
  url_rep_client: 'url_rep_client',
  remediation: 'remediation',
  system_logs: 'system',
  cli_logs: 'cli',
  authentication: 'authentication',
}

const sorted = (logs: readonly LogSubscription[]): LogSubscription[] =>
  [...logs].sort((a, b) => (a.name < b.name ? -1 : 1))
const all = (session: Session): readonly LogSubscription[] => sorted(session.draft.get(logSubscriptions))
const stage = (session: Session, logs: readonly LogSubscription[]): void =>
  session.draft.set(logSubscriptions, sorted(logs))

const logName = (taken: readonly string[]): Field<string> => ({
  parse: (text) => {
    const name = text.trim()
    if (!/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/.test(name))
      return fail('The name may have letters, numbers, underscores, hyphens and dots, and must not start with a dot.')
    return taken.includes(name) ? fail(`There is a log named '${name}' already.`) : ok(name)
  },
  format: (name) => name,
})

const fileStem: Field<string> = {
  parse: (text) =>
    /^[A-Za-z0-9_-]{1,64}$/.test(text.trim())
      ? ok(text.trim())
      : fail('The file name may have letters, numbers, underscores and hyphens.'),
  format: (stem) => stem,
}

/** The questions after the name, in AsyncOS's order; `from` gives the defaults. */
const askSettings = async ({ ask }: Session, from: LogSubscription): Promise<LogSubscription> => {
  const level = await ask.pick('Log level:', LOG_LEVELS, (l) => LEVEL_TITLES[l], LOG_LEVELS.indexOf(from.level))
  const initialMethod = from.push === null ? 0 : 1
  const method = await ask.pick('Choose the method to retrieve the logs.', RETRIEVALS, (m) => m, initialMethod)
  const push = method === 'Syslog Push' ? await askPush(ask, from.push) : null
  const fileName = await ask.field('Filename to use for log files:', fileStem, from.fileName)
  const bytes = integer(4096, 1_073_741_824)
  const rolloverBytes = await ask.field('Please enter the maximum file size:', bytes, from.rolloverBytes)
  const maxFiles = await ask.field('Please enter the maximum number of files:', integer(1, 1000), from.maxFiles)
  const alertOnRemoval = await ask.confirm(
    'Should an alert be sent when files are removed due to the maximum number of files allowed?',
    from.alertOnRemoval,
  )
  return { ...from, level, fileName, rolloverBytes, maxFiles, alertOnRemoval, push }
}

const initial = (type: LogTypeName, name: string): LogSubscription => ({
  name,
  type,
  level: 'Info',
  fileName: STEMS[type],
  rolloverBytes: 10_485_760,
  maxFiles: 10,
  alertOnRemoval: false,
  push: null,
})

const create = async (session: Session): Promise<void> => {
  const head = 'Choose the log file type for this subscription:'
  const type = await session.ask.pick(head, LOG_TYPES, (t) => LOG_TYPE_TITLES[t], 0)
  const names = all(session).map((l) => l.name)
  const name = await session.ask.field('Please enter the name for the log:', logName(names))
  stage(session, [...all(session), await askSettings(session, initial(type, name))])
}

const choose = async (session: Session, what: string): Promise<LogSubscription> => {
  const logs = all(session)
  const number = await session.ask.field(`Enter the number of the log you wish to ${what}.`, integer(1, logs.length))
  return logs[number - 1] as LogSubscription
}

const named = (session: Session, name: string): LogSubscription => {
  const log = all(session).find((l) => l.name === name)
  if (!log) throw new UserError(`There is no log named '${printableCut(name, 64)}'.`)
  return log
}

const edit = async (session: Session): Promise<void> => {
  const log = await choose(session, 'edit')
  const others = all(session).filter((l) => l !== log)
  const name = await session.ask.field(
    'Please enter the name for the log:',
    logName(others.map((l) => l.name)),
    log.name,
  )
  stage(session, [...others, await askSettings(session, { ...log, name })])
}

const remove = (session: Session, name: string): void => {
  const log = named(session, name)
  stage(
    session,
    all(session).filter((l) => l !== log),
  )
  session.print(`Log subscription ${log.name} removed. Its files stay where they are.`)
}

const LEVEL_USAGE = `logconfig edit LOG_NAME LEVEL`
const DELETE_USAGE = 'logconfig delete LOG_NAME'
const NEW_USAGE = 'logconfig new TYPE LOG_NAME [LEVEL]'

const levelOf = (word: string): LogLevel => {
  const level = LOG_LEVELS.find((l) => [l, LEVEL_TITLES[l]].some((t) => t.toLowerCase() === word.toLowerCase()))
  if (!level) throw new UserError(`The level must be one of: ${LOG_LEVELS.join(', ')}.`)
  return level
}

export default defineCommand({
  name: 'logconfig',
  summary: 'Configure the log subscriptions',
  description:
    'A log subscription writes one kind of log to files of its own, at a level: Critical, Warning, Info, Debug or Trace. ' +
    'A file is closed at its maximum size and the oldest ones are removed. ' +
    'The lines may be sent to a syslog server as well, over UDP, TCP or TLS.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  options: PUSH_OPTIONS,
  forms: [
    { usage: 'logconfig list', words: ['list'], run: async (session) => session.print(...logTable(all(session))) },
    wordForm(NEW_USAGE, ['new'], [2, 3], (session, [word = '', name = '', level = 'Info']) => {
      const type = LOG_TYPES.find((t) => t === word.toLowerCase())
      if (!type) throw new UserError(`The type must be one of: ${LOG_TYPES.join(', ')}.`)
      const checked = readValue(logName(all(session).map((l) => l.name)), name)
      stage(session, [...all(session), { ...initial(type, checked), level: levelOf(level) }])
    }),
    wordForm(LEVEL_USAGE, ['edit'], 2, (session, [name = '', level = '']) => {
      const log = named(session, name)
      stage(session, [...all(session).filter((l) => l !== log), { ...log, level: levelOf(level) }])
    }),
    {
      usage: PUSH_USAGE,
      words: ['push'],
      run: async (session, args) => {
        const { name, push } = pushOf(args)
        const log = named(session, name)
        stage(session, [...all(session).filter((l) => l !== log), { ...log, push }])
      },
    },
    wordForm(DELETE_USAGE, ['delete'], 1, (session, [word = '']) => remove(session, word)),
  ],
  run: async (session) => {
    for (;;) {
      session.print(...(all(session).length > 0 ? logTable(all(session)) : ['There are no logs configured.']))
      const operation = await session.ask.choose({
        NEW: 'Create a new log.',
        ...(all(session).length > 0
          ? { EDIT: 'Modify a log subscription.', DELETE: 'Remove a log subscription.' }
          : {}),
      })
      if (operation === null) return
      if (operation === 'NEW') await create(session)
      else if (operation === 'EDIT') await edit(session)
      else remove(session, (await choose(session, 'delete')).name)
    }
  },
})
