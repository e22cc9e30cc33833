import { text } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { timeOfDay } from '../../format/time-of-day.ts'
import { every, secondsField, secondsOf } from '../../queue.ts'
import { readForm } from '../../options.ts'

const paused = ({ appliance }: Session) => appliance.traffic.suspended('work queue')[0]

const state = (session: Session): readonly string[] => {
  const pause = paused(session)
  const reason = pause === undefined || pause.reason === '' ? '' : `: ${printable(pause.reason)}`
  return [
    `Status:   ${pause === undefined ? 'Operational' : `Paused by ${pause.by}${reason}`}`,
    `Messages: ${session.appliance.spool.gauges().inWork}`,
  ]
}

const status = ({ appliance: { time, env } }: Session): string => `Status as of: ${time.stampZone(env.clock.now())}`

const rate = async (session: Session, seconds: number): Promise<void> => {
  const { queue, spool, time, env } = session.appliance
  let before = queue.worked()
  let pending = spool.gauges().inWork
  session.print('Type Ctrl-C to return to the main prompt.', '', 'Time       Pending      In     Out')
  await every(session, seconds, () => {
    const now = queue.worked()
    const waiting = spool.gauges().inWork
    const out = now.done - before.done
    // What came in is what went out and what waits more than before.
    const came = Math.max(0, waiting - pending + out)
    before = now
    pending = waiting
    const cells = [waiting, came, out].map((n) => String(n).padStart(8)).join('')
    return `${timeOfDay(time, env.clock.now())}  ${cells}`
  })
}

const pause = async (session: Session, reason: string): Promise<void> => {
  await session.appliance.traffic.pauseWork(reason, session.user.name)
  session.print(...state(session))
}

const resume = async (session: Session): Promise<void> => {
  await session.appliance.traffic.resumeWork(session.user.name)
  session.print(...state(session))
}

const MAX_REASON = 200

const dialogue = async (session: Session): Promise<void> => {
  const { ask, print } = session
  print(...state(session))
  for (;;) {
    const operation = await ask.choose({
      STATUS: 'Display work queue status',
      ...(paused(session) === undefined ? { PAUSE: 'Pause the work queue' } : { RESUME: 'Resume the work queue' }),
      RATE: 'Display work queue statistics over time',
    })
    if (operation === null) return
    if (operation === 'STATUS') print(status(session), ...state(session))
    else if (operation === 'RATE')
      await rate(session, await ask.field('Enter the number of seconds between displays.', secondsField, 10))
    else if (operation === 'RESUME') await resume(session)
    else if (await ask.confirm('Manually pause work queue?', false))
      await pause(session, (await ask.optional('Reason:', text({ max: MAX_REASON }))) ?? '')
  }
}

const form = (word: string, takes: string, run: (session: Session, args: readonly string[]) => Promise<void>): Form => {
  const usage = `workqueue ${word}${takes}`
  return {
    usage,
    words: [word],
    run: async (session, args) => {
      if (takes === '') readForm(usage, args, { min: 0, max: 0 })
      await run(session, args)
    },
  }
}

export default defineCommand({
  name: 'workqueue',
  summary: 'Show, pause or resume the work queue',
  description:
    'The work queue holds messages that were accepted and wait for filters and scanning. While it is paused, mail is still ' +
    'accepted and what is already in the delivery queue is delivered. A pause stays over a restart.',
  category: 'monitor',
  roles: ['administrator', 'operator', 'technician'],
  needsCommit: false,
  forms: [
    form('status', '', async (session) => session.print(status(session), ...state(session))),
    form('rate', ' [SECONDS]', async (session, args) => {
      const [seconds = '10'] = readForm('workqueue rate [SECONDS]', args, { min: 0, max: 1 }).words
      await rate(session, secondsOf(seconds))
    }),
    form('pause', ' [REASON]', (session, words) => pause(session, words.join(' ').slice(0, MAX_REASON))),
    form('resume', '', resume),
  ],
  run: dialogue,
  complete: () => ['status', 'rate', 'pause', 'resume'],
})
