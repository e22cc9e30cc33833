import { OPERATORS, defineCommand } from '../../command.ts'
import { ageLine, messageLines } from '../../format/queue.ts'
import { wholeMessage } from '../../queue.ts'

export default defineCommand({
  name: 'oldmessage',
  summary: 'Show the oldest message that is not in quarantine',
  description: 'Shows MID, age and header of the oldest message in the work queue or the delivery queue.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    const entry = session.appliance.queue.oldest()
    if (!entry) return session.print('There are no messages in the queue.')
    const bytes = await wholeMessage(session, entry)
    session.print(ageLine(session, entry), '')
    await session.page(messageLines(bytes, 'header'))
  },
})
