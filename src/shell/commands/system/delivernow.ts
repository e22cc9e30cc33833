import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { domainField, domainOf } from '../../queue.ts'
import { wordForm } from '../../options.ts'

const deliver = async (session: Session, domain: string | null): Promise<void> => {
  session.print(`Rescheduling all messages${domain === null ? '' : ` to ${domain}`} for delivery.`)
  await session.appliance.queue.deliverNow(domain)
}

const HOW = ['By recipient domain', 'All messages'] as const
const USAGE = 'delivernow DOMAIN | all'

export default defineCommand({
  name: 'delivernow',
  summary: 'Reschedule messages for immediate delivery',
  description:
    'Makes the next attempt for messages that wait for a later one due now, for one recipient domain or for all. ' +
    'Hosts that were down are tried again. What is suspended stays suspended.',
  category: 'system',
  roles: OPERATORS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], 1, (session, [word = '']) =>
      deliver(session, word.toLowerCase() === 'all' ? null : domainOf(word)),
    ),
  ],
  run: async (session) => {
    const { ask } = session
    const how = await ask.pick('Please choose an option for scheduling immediate delivery.', HOW, (label) => label, 0)
    const domain =
      how === HOW[1]
        ? null
        : await ask.field('Please enter the recipient domain to schedule for delivery.', domainField)
    await deliver(session, domain)
  },
})
