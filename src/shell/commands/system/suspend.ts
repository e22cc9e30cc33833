import { defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { GRACE_QUESTION, GRACE_SECONDS, graceField, oneWord } from '../../queue.ts'
import { graceOf, listenerNames, suspendDelivery, suspendReceiving } from '../../suspension.ts'

const suspend = async (session: Session, seconds: number): Promise<void> => {
  const names = listenerNames(session)
  await suspendReceiving(session, names, seconds)
  for (const name of names) session.print(`Receiving suspended for ${name}.`)
  await suspendDelivery(session, [''], seconds)
}

const USAGE = 'suspend [SECONDS]'

export default defineCommand({
  name: 'suspend',
  summary: 'Suspend receiving and delivery',
  description:
    'Stops receiving and delivering at once. Connections get the given time to end by themselves. While receiving is ' +
    'suspended, clients are answered 421; what is queued stays queued. The state stays over a restart, until "resume".',
  category: 'system',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, seconds) => suspend(session, graceOf(seconds)))],
  run: async (session) => suspend(session, await session.ask.field(GRACE_QUESTION, graceField, GRACE_SECONDS)),
})
