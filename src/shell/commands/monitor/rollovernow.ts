import { integer } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { logNamed, logNames, logTable } from '../../format/log-list.ts'
import { wordForm } from '../../options.ts'

const USAGE = 'rollovernow [LOG_NAME]'

const rollOver = async (session: Session, names: readonly string[]): Promise<void> => {
  for (const name of names) await session.appliance.logs.rollover(name)
  session.print('Log files successfully rolled over.')
}

export default defineCommand({
  name: 'rollovernow',
  summary: 'Begin a new log file',
  description: 'Closes the present file of a log, or of all logs, and begins the next one. Nothing is lost.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  forms: [wordForm(USAGE, [], 1, (session, [name = '']) => rollOver(session, [logNamed(session, name).name]))],
  run: async (session) => {
    const names = logNames(session)
    session.print(...logTable(session.appliance.logs.subscriptions()), `${names.length + 1}. All Logs`)
    const number = await session.ask.field('Which log would you like to roll over?', integer(1, names.length + 1))
    await rollOver(session, number > names.length ? names : names.slice(number - 1, number))
  },
  complete: (session) => logNames(session),
})
