import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { timeOfDay } from '../../format/time-of-day.ts'
import { every, oneWord, secondsField, secondsOf } from '../../queue.ts'

const HEAD = [
  'Time     Connections Recipients          Recipients          Queue',
  '         In   Out    Received   Delta    Completed  Delta    K-Used',
]

const run = async (session: Session, seconds: number): Promise<void> => {
  const { counters, env, spool, time } = session.appliance
  const shown = { received: counters.value('recipientsReceived', 'lifetime'), completed: completed(session) }
  session.print('Type Ctrl-C to return to the main prompt.', '', ...HEAD)
  await every(session, seconds, () => {
    const received = counters.value('recipientsReceived', 'lifetime')
    const done = completed(session)
    const line = [
      timeOfDay(time, env.clock.now()).padEnd(9),
      String(counters.gauge('inboundConnections')).padStart(2),
      String(counters.gauge('outboundConnections')).padStart(6),
      String(received).padStart(13),
      String(received - shown.received).padStart(7),
      String(done).padStart(13),
      String(done - shown.completed).padStart(7),
      String(Math.ceil(spool.gauges().bytes / 1024)).padStart(10),
    ].join('')
    Object.assign(shown, { received, completed: done })
    return line
  })
}

const completed = ({ appliance }: Session): number => appliance.counters.value('completedRecipients', 'lifetime')

const USAGE = 'rate [SECONDS]'

export default defineCommand({
  name: 'rate',
  summary: 'Show connections, recipients and queue size as they change',
  description:
    'Prints a line every few seconds: open connections in and out, recipients received and completed ever and since the ' +
    'last line, and the size of the queue in kilobytes. Ctrl-C ends it.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, seconds) => run(session, secondsOf(seconds)))],
  run: async (session) =>
    run(session, await session.ask.field('Enter the number of seconds between displays.', secondsField, 10)),
})
