import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { ageLine, messageLines } from '../../format/queue.ts'
import { entryOf, midField, midOf, oneWord, wholeMessage } from '../../queue.ts'

const show = async (session: Session, mid: number): Promise<void> => {
  const entry = entryOf(session, mid)
  const bytes = await wholeMessage(session, entry)
  session.print(ageLine(session, entry), '')
  await session.page(messageLines(bytes, 'whole'))
}

const USAGE = 'showmessage MID'

export default defineCommand({
  name: 'showmessage',
  summary: 'Show a message that is in the queue, by its MID',
  description:
    'Shows the whole message as it would be delivered, wherever it is: work queue, delivery queue or quarantine. ' +
    'Characters that could act on a terminal are shown as escapes.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, mid) => show(session, midOf(mid)))],
  run: async (session) => show(session, await session.ask.field('Enter the MID to show.', midField)),
})
