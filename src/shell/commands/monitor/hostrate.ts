import { hardBounces } from '../../../services/host-statistics.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { hostState } from '../../format/host.ts'
import { timeOfDay } from '../../format/time-of-day.ts'
import { domainField, domainOf, every, secondsField, secondsOf } from '../../queue.ts'
import { wordForm } from '../../options.ts'

const HEAD = [
  '    Time    Host    CrtCncOut  ActvRcp  ActvRcp  DlvRcp  HrdBncRcp  SftBncEvt',
  '           Status                        Delta    Delta    Delta      Delta',
]
const WIDTHS = [10, 10, 8, 10, 9, 11]

/** What the deltas are taken of. */
const figuresOf = ({ appliance }: Session, domain: string) => {
  const { depth, figures } = appliance.queue.host(domain)
  return {
    state: hostState(figures),
    out: figures?.connectionsOut ?? 0,
    active: depth.recipients,
    delivered: figures?.delivered ?? 0,
    hard: figures ? hardBounces(figures) : 0,
    soft: figures?.softBounced ?? 0,
  }
}

const run = async (session: Session, domain: string, seconds: number): Promise<void> => {
  const { time, env } = session.appliance
  session.print('Type Ctrl-C to return to the main prompt.', '', ...HEAD)
  let before = figuresOf(session, domain)
  await every(session, seconds, () => {
    const now = figuresOf(session, domain)
    const values = [
      now.out,
      now.active,
      now.active - before.active,
      now.delivered - before.delivered,
      now.hard - before.hard,
      now.soft - before.soft,
    ]
    before = now
    const cells = values.map((value, i) => String(value).padStart(WIDTHS[i] ?? 9)).join('')
    return `${timeOfDay(time, env.clock.now())}${` ${now.state}`.padStart(7)}${cells}`
  })
}

const USAGE = 'hostrate DOMAIN [SECONDS]'

export default defineCommand({
  name: 'hostrate',
  summary: 'Show delivery to one recipient host as it changes',
  description:
    'Prints a line every few seconds: whether the host is up, connections to it, recipients that wait for it, and what was ' +
    'delivered and bounced since the last line. Ctrl-C ends it.',
  example: 'lines',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], [1, 2], (session, [domain = '', seconds = '10']) =>
      run(session, domainOf(domain), secondsOf(seconds)),
    ),
  ],
  run: async (session) => {
    const { ask } = session
    const domain = await ask.field('Recipient host:', domainField)
    const seconds = await ask.field('Enter the number of seconds between displays.', secondsField, 10)
    await run(session, domain, seconds)
  },
})
