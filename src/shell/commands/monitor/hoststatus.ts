import { printable } from '../../../core/text.ts'
import { hardBounces } from '../../../services/host-statistics.ts'
import type { HostFigures } from '../../../services/host-statistics.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { longAge } from '../../format/duration.ts'
import { hostState } from '../../format/host.ts'
import { figureRow } from '../../format/status.ts'
import { domainField, domainOf, oneWord } from '../../queue.ts'

const counters = (figures: HostFigures | null): readonly string[] => {
  const hard = figures?.hardBounced
  const bounced = figures ? hardBounces(figures) : 0
  const delivered = figures?.delivered ?? 0
  const deleted = figures?.deleted ?? 0
  return [
    'Counters:',
    '  Queue',
    figureRow('Soft Bounced Events', figures?.softBounced ?? 0, 4),
    '  Completion',
    figureRow('Completed Recipients', bounced + delivered + deleted, 4),
    figureRow('Hard Bounced Recipients', bounced, 6),
    figureRow('DNS Hard Bounces', hard?.dns ?? 0, 8),
    figureRow('5XX Hard Bounces', hard?.refused ?? 0, 8),
    figureRow('Expired Hard Bounces', hard?.expired ?? 0, 8),
    figureRow('Other Hard Bounces', hard?.other ?? 0, 8),
    figureRow('Delivered Recipients', delivered, 6),
    figureRow('Deleted Recipients', deleted, 6),
  ]
}

const addresses = ({ appliance: { time } }: Session, figures: HostFigures | null): readonly string[] => {
  if (!figures?.lookedUpAt) return []
  return [
    `Ordered IP addresses: (as of ${time.stampZone(figures.lookedUpAt)})`,
    '    Order        IP               Host',
    ...figures.addresses.map(
      ({ address, host }, i) => `    ${String(i + 1).padEnd(13)}${address.padEnd(16)} ${printable(host)}`,
    ),
  ]
}

const refusal = ({ appliance: { time } }: Session, figures: HostFigures | null): readonly string[] => {
  const last = figures?.lastRefusal
  return !last
    ? []
    : [
        '',
        'Last 5XX Error:',
        '----------',
        ...last.response.split('\n').map(printable),
        `(at ${time.stampZone(last.at)})`,
        '----------',
      ]
}

const show = async (session: Session, domain: string): Promise<void> => {
  const { queue, spool, time, env } = session.appliance
  const now = env.clock.now()
  const { depth, figures } = queue.host(domain)
  const oldest = depth.oldestMid === null ? undefined : spool.entry(depth.oldestMid)
  const age = oldest ? longAge((now.getTime() - oldest.receivedAt.getTime()) / 1000) : 'No Messages'
  await session.page([
    `Host mail status for: '${printable(domain)}'`,
    `Status as of:         ${time.stampZone(now)}`,
    `Host up/down:         ${hostState(figures)}`,
    '',
    ...counters(figures),
    '',
    'Gauges:',
    '  Queue',
    figureRow('Active Recipients', depth.recipients, 4),
    figureRow('Unattempted Recipients', depth.recipients - depth.attempted, 6),
    figureRow('Attempted Recipients', depth.attempted, 6),
    '  Connections',
    figureRow('Current Outbound Connections', figures?.connectionsOut ?? 0, 4),
    '',
    `Oldest Message        ${age}`,
    `Last Activity         ${figures?.lastActivity ? time.stampZone(figures.lastActivity) : 'Never'}`,
    ...addresses(session, figures),
    ...refusal(session, figures),
  ])
}

const USAGE = 'hoststatus DOMAIN'

export default defineCommand({
  name: 'hoststatus',
  summary: 'Show the state of delivery to one recipient host',
  description:
    'Shows what waits for a recipient domain, what became of its mail since the appliance started, the addresses of the ' +
    'last look-up and its last permanent refusal.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [oneWord(USAGE, async (session, domain) => show(session, domainOf(domain)))],
  run: async (session) => show(session, await session.ask.field('Recipient host:', domainField)),
})
