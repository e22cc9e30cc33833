import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { MESSAGE_HEAD, messageRows } from '../../format/queue.ts'
import { SELECTION_WORDS, askSelection, selectionOf } from '../../queue.ts'
import type { QueueSelection } from '../../../services/queue-selection.ts'

const lines = async function* (session: Session, selection: QueueSelection): AsyncGenerator<string> {
  let any = false
  for await (const message of session.appliance.queue.messages(selection)) {
    if (!any) yield* MESSAGE_HEAD
    any = true
    yield* messageRows(message)
  }
  if (!any) yield 'No messages match.'
}

const show = async (session: Session, selection: QueueSelection): Promise<void> => {
  session.print('Showing messages, please wait.', '')
  await session.page(lines(session, selection))
}

const USAGE = `showrecipients ${SELECTION_WORDS}`

export default defineCommand({
  name: 'showrecipients',
  summary: 'Show messages in the delivery queue by recipient host, sender or all',
  description:
    'Shows what waits in the delivery queue: MID, size, envelope sender and subject of each message, and under it its ' +
    'recipients that are not delivered, with the number of attempts. The null sender is written <>.',
  category: 'monitor',
  roles: OPERATORS,
  needsCommit: false,
  forms: [{ usage: USAGE, words: [], run: async (session, args) => show(session, selectionOf(USAGE, args)) }],
  run: async (session) => show(session, await askSelection(session, 'show')),
  complete: () => ['host', 'sender', 'all'],
})
