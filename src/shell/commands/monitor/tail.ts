import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { logNamed, logNames, pickLog } from '../../format/log-list.ts'
import { printLines } from '../../format/log-lines.ts'
import { wordForm } from '../../options.ts'

const LAST_LINES = 10

const follow = async (session: Session, name: string): Promise<void> => {
  const interrupt = session.terminal.untilInterrupt()
  try {
    await printLines(session, session.appliance.logs.tail(name, LAST_LINES, interrupt.signal))
  } finally {
    interrupt.done()
  }
}

const USAGE = 'tail LOG_NAME'

export default defineCommand({
  name: 'tail',
  summary: 'Show the end of a log, and what is written to it',
  description:
    'Shows the last ten lines of a log and then every line that is written to it, through roll-overs, until Ctrl-C.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [wordForm(USAGE, [], 1, (session, [name = '']) => follow(session, logNamed(session, name).name))],
  run: async (session) => {
    const log = await pickLog(session, 'Enter the number of the log you wish to tail.')
    session.print('Press Ctrl-C to stop.')
    await follow(session, log.name)
  },
  complete: (session) => logNames(session),
})
