import type { QueueSelection } from '../services/queue-selection.ts'
import { OPERATORS, defineCommand } from './command.ts'
import type { Command, Session } from './command.ts'
import { SELECTION_WORDS, askSelection, confirmSelection, report, selectionOf } from './queue.ts'

/** `deleterecipients` and `bouncerecipients`: they differ in their words and in what becomes of the sender. */
export const endRecipients = (of: {
  readonly verb: 'delete' | 'bounce'
  readonly doing: string
  readonly done: string
  readonly summary: string
  readonly note: string
}): Command => {
  const { verb } = of
  const usage = `${verb}recipients ${SELECTION_WORDS}`
  const end = async (session: Session, selection: QueueSelection): Promise<void> => {
    session.print(`${of.doing} messages, please wait.`)
    await report(
      session,
      (signal) => session.appliance.queue[verb](selection, session.user.name, signal),
      ({ messages }) => `${messages} messages ${of.done}.`,
    )
  }
  return defineCommand({
    name: `${verb}recipients`,
    summary: of.summary,
    description:
      'Acts at once on every message in the delivery queue that goes to a host, that has an Envelope From address, or on ' +
      `all. ${of.note} The batch form does not ask.`,
    category: 'system',
    roles: OPERATORS,
    needsCommit: false,
    forms: [{ usage, words: [], run: async (session, args) => end(session, selectionOf(usage, args)) }],
    run: async (session) => {
      const selection = await askSelection(session, verb)
      if (await confirmSelection(session, verb, selection)) await end(session, selection)
    },
    complete: () => ['host', 'sender', 'all'],
  })
}
