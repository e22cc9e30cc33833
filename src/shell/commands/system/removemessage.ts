import { UserError } from '../../../core/errors.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { ageLine, messageLines } from '../../format/queue.ts'
import { entryOf, midField, midOf, oneWord, wholeMessage } from '../../queue.ts'

/** A damaged message is removed as well: its header cannot be shown then. */
const header = async (session: Session, mid: number): Promise<Iterable<string>> => {
  try {
    return messageLines(await wholeMessage(session, entryOf(session, mid)), 'header')
  } catch (error) {
    if (error instanceof UserError) throw error
    return ['(The message cannot be read.)']
  }
}

const remove = async (session: Session, mid: number): Promise<void> => {
  session.print(ageLine(session, entryOf(session, mid)), '')
  for (const line of await header(session, mid)) session.print(line)
  session.print('')
  if (!(await session.ask.confirm('Remove this message?', false))) return
  await session.appliance.queue.remove(mid, session.user.name)
  session.print(`MID ${mid} has been removed.`)
}

const USAGE = 'removemessage MID'

export default defineCommand({
  name: 'removemessage',
  summary: 'Remove a message from the queue, by its MID',
  description:
    'Shows the header of a message in the work queue or the delivery queue and removes it when you say so. ' +
    'Its sender is not told. A message in quarantine is removed with "quarantine delete".',
  category: 'system',
  roles: OPERATORS,
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, mid) => remove(session, midOf(mid)))],
  run: async (session) => remove(session, await session.ask.field('Enter the MID to remove.', midField)),
})
