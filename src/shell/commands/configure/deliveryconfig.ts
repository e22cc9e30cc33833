import { delivery } from '../../../config/sections/delivery.ts'
import { integer } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'

const overview = ({ draft }: Session): readonly string[] => {
  const d = draft.get(delivery)
  return [
    `Default system wide maximum outbound message delivery concurrency: ${d.maxConcurrency}`,
    `Seconds to wait for a connection: ${d.connectTimeoutSeconds}`,
    `Seconds to wait for a reply: ${d.replyTimeoutSeconds}`,
  ]
}

const setup = async ({ ask, draft }: Session): Promise<void> => {
  const d = draft.get(delivery)
  const maxConcurrency = await ask.field(
    'Please enter the default system wide maximum outbound message delivery concurrency',
    integer(1, 10_000),
    d.maxConcurrency,
  )
  const connectTimeoutSeconds = await ask.field(
    'Please enter the number of seconds to wait for a connection.',
    integer(1, 600),
    d.connectTimeoutSeconds,
  )
  const replyTimeoutSeconds = await ask.field(
    'Please enter the number of seconds to wait for a reply.',
    integer(1, 3600),
    d.replyTimeoutSeconds,
  )
  draft.set(delivery, { ...d, maxConcurrency, connectTimeoutSeconds, replyTimeoutSeconds })
}

export default defineCommand({
  name: 'deliveryconfig',
  summary: 'Configure mail delivery',
  description: 'Sets how many deliveries are under way at the same time, and how long a host is waited for.',
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...overview(session))
      const operation = await session.ask.choose({ SETUP: 'Configure mail delivery.' })
      if (operation === null) return
      await setup(session)
    }
  },
})
