import { statfs } from 'node:fs/promises'
import { EVERYONE, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { longAge, upTime } from '../../format/duration.ts'
import { counterRow, gaugeRow, idRow, rateRow } from '../../format/status.ts'
import { wordForm } from '../../options.ts'

const seconds = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000
const kilobytes = (bytes: number): number => Math.ceil(bytes / 1024)

const head = ({ appliance }: Session): readonly string[] => {
  const { time, startedAt, counters, env } = appliance
  const now = env.clock.now()
  const { oldestReceivedAt } = appliance.spool.gauges()
  return [
    `Status as of:               ${time.stampZone(now)}`,
    `Up since:                   ${time.stampZone(startedAt)} (${upTime(seconds(startedAt, now))})`,
    `Last counter reset:         ${counters.lastReset === null ? 'Never' : time.stampZone(counters.lastReset)}`,
    `System status:              ${appliance.traffic.state()}`,
    `Oldest Message:             ${oldestReceivedAt === null ? 'No Messages' : longAge(seconds(oldestReceivedAt, now))}`,
  ]
}

const counterBlock = ({ appliance: { counters, ids } }: Session, detail: boolean): readonly string[] => [
  'Counters:                             Reset         Uptime       Lifetime',
  '  Receiving',
  counterRow(counters, 'Messages Received', 'messagesReceived'),
  counterRow(counters, 'Recipients Received', 'recipientsReceived'),
  ...(detail ? [counterRow(counters, 'Generated Messages', 'generatedMessages')] : []),
  '  Rejection',
  counterRow(counters, 'Rejected Recipients', 'rejectedRecipients'),
  counterRow(counters, 'Dropped Messages', 'droppedMessages'),
  '  Queue',
  counterRow(counters, 'Soft Bounced Events', 'softBouncedEvents'),
  '  Completion',
  counterRow(counters, 'Completed Recipients', 'completedRecipients'),
  ...(detail
    ? [
        counterRow(counters, 'Hard Bounced Recipients', 'hardBouncedRecipients', 6),
        counterRow(counters, 'DNS Hard Bounces', 'dnsHardBounces', 8),
        counterRow(counters, '5XX Hard Bounces', 'refusedHardBounces', 8),
        counterRow(counters, 'Expired Hard Bounces', 'expiredHardBounces', 8),
        counterRow(counters, 'Other Hard Bounces', 'otherHardBounces', 8),
        counterRow(counters, 'Delivered Recipients', 'deliveredRecipients', 6),
        counterRow(counters, 'Deleted Recipients', 'deletedRecipients', 6),
      ]
    : []),
  '  Current IDs',
  idRow('Message ID (MID)', ids.current('mid')),
  idRow('Injection Conn. ID (ICID)', ids.current('icid')),
  idRow('Delivery Conn. ID (DCID)', ids.current('dcid')),
]

const rateBlock = ({ appliance: { counters } }: Session): readonly string[] => [
  'Rates (Events Per Hour):           1-Minute      5-Minutes     15-Minutes',
  rateRow(counters, 'Messages Received', 'messagesReceived'),
  rateRow(counters, 'Recipients Received', 'recipientsReceived'),
  rateRow(counters, 'Soft Bounced Events', 'softBouncedEvents'),
  rateRow(counters, 'Completed Recipients', 'completedRecipients'),
  rateRow(counters, 'Hard Bounced Recipients', 'hardBouncedRecipients'),
  rateRow(counters, 'Delivered Recipients', 'deliveredRecipients'),
]

const gaugeBlock = async ({ appliance }: Session, detail: boolean): Promise<readonly string[]> => {
  const { counters, spool, queue } = appliance
  const gauges = spool.gauges()
  const disk = await statfs(appliance.home)
  return [
    'Gauges:                             Current',
    '  Connections',
    gaugeRow('Current Inbound Conn.', counters.gauge('inboundConnections')),
    gaugeRow('Current Outbound Conn.', counters.gauge('outboundConnections')),
    '  Queue',
    gaugeRow('Active Recipients', gauges.queuedRecipients),
    ...(detail
      ? [
          gaugeRow('Unattempted Recipients', gauges.queuedRecipients - gauges.attemptedRecipients, 6),
          gaugeRow('Attempted Recipients', gauges.attemptedRecipients, 6),
        ]
      : []),
    gaugeRow('Messages In Work Queue', gauges.inWork),
    ...(detail ? [gaugeRow('Destinations In Memory', queue.destinations())] : []),
    gaugeRow('Kilobytes Used', kilobytes(gauges.bytes)),
    gaugeRow('Kilobytes Free', Math.floor((disk.bavail * disk.bsize) / 1024)),
    '  Quarantine',
    '    Messages In Quarantine',
    gaugeRow('Policy, Virus and Outbreak', gauges.quarantined, 6),
    '    Kilobytes In Quarantine',
    gaugeRow('Policy, Virus and Outbreak', kilobytes(gauges.quarantinedBytes), 6),
  ]
}

const show = async (session: Session, detail: boolean): Promise<void> => {
  await session.page([
    ...(detail ? [] : ['Enter "status detail" for more information.', '']),
    ...head(session),
    '',
    ...counterBlock(session, detail),
    ...(detail ? ['', ...rateBlock(session)] : []),
    '',
    ...(await gaugeBlock(session, detail)),
  ])
}

export default defineCommand({
  name: 'status',
  summary: 'Show the state of the appliance',
  description:
    'Shows counters since the last reset, since the start and ever, and what is in the queue and the quarantines now. "status detail" adds bounces, deliveries and rates.',
  category: 'monitor',
  roles: EVERYONE,
  needsCommit: false,
  run: (session) => show(session, false),
  forms: [wordForm('status detail', ['detail'], 0, (session) => show(session, true))],
})
