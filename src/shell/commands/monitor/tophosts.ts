import type { HostOrder } from '../../../services/host-statistics.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { HOST_HEAD, hostRow } from '../../format/host.ts'
import { misused, wordForm } from '../../options.ts'

interface Order {
  readonly label: string
  readonly word: string
  readonly by: HostOrder | 'recipients'
}

const ORDERS: readonly Order[] = [
  { label: 'Active Recipients', word: 'active_rcpts', by: 'recipients' },
  { label: 'Connections Out', word: 'conn_out', by: 'connectionsOut' },
  { label: 'Delivered Recipients', word: 'deliv_rcpts', by: 'delivered' },
  { label: 'Soft Bounced Events', word: 'soft_bounced', by: 'softBounced' },
  { label: 'Hard Bounced Recipients', word: 'hard_bounced', by: 'hardBounced' },
]
const SHOWN = 20

const show = async ({ appliance, page }: Session, { by }: Order): Promise<void> => {
  const rows = appliance.queue.top(by, SHOWN)
  await page([
    `Status as of:                   ${appliance.time.stampZone(appliance.env.clock.now())}`,
    "Hosts marked with '*' were down as of the last delivery attempt.",
    '',
    ...HOST_HEAD,
    ...rows.map(hostRow),
  ])
}

const USAGE = `tophosts ${ORDERS.map((o) => o.word).join(' | ')}`

export default defineCommand({
  name: 'tophosts',
  summary: 'Show the recipient hosts with the most mail',
  description:
    'Shows the 20 recipient hosts with the most recipients in the delivery queue, open connections, or deliveries, soft ' +
    'and hard bounces since the appliance started.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], 1, async (session, [word = '']) => {
      const order = ORDERS.find((o) => o.word === word.toLowerCase())
      if (order === undefined) throw misused(`There is no order '${word}'.`, USAGE)
      await show(session, order)
    }),
  ],
  run: async (session) => show(session, await session.ask.pick('Sort results by:', ORDERS, (o) => o.label, 0)),
  complete: () => ORDERS.map((o) => o.word),
})
