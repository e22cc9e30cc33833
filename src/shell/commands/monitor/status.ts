import { statfs } from 'node:fs/promises'
import { UserError } from '../../../core/errors.ts'
import { EVERYONE, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { longAge, upTime } from '../../format/duration.ts'
import { counterRow, gaugeRow, idRow, rateRow } from '../../format/status.ts'

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
    `System status:              ${appliance.listening().length > 0 ? 'Online' : 'Offline'}`,
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
        counterRow(counters, 'Hard Bounced Recipients', 'hardBouncedRecipients'),
        counterRow(counters, 'Delivered Recipients', 'deliveredRecipients'),
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

const gaugeBlock = async ({ appliance }: Session): Promise<readonly string[]> => {
  const { counters, spool } = appliance
  const gauges = spool.gauges()
  const held = spool.quarantined()
  const disk = await statfs(appliance.home)
  return [
    'Gauges:                             Current',
    '  Connections',
    gaugeRow('Current Inbound Conn.', counters.gauge('inboundConnections')),
    gaugeRow('Current Outbound Conn.', counters.gauge('outboundConnections')),
    '  Queue',
    gaugeRow('Active Recipients', gauges.queuedRecipients),
    gaugeRow('Messages In Work Queue', gauges.inWork),
    gaugeRow('Kilobytes Used', kilobytes(gauges.bytes)),
    gaugeRow('Kilobytes Free', Math.floor((disk.bavail * disk.bsize) / 1024)),
    '  Quarantine',
    '    Messages In Quarantine',
    gaugeRow('Policy, Virus and Outbreak', held.length, 6),
    '    Kilobytes In Quarantine',
    gaugeRow('Policy, Virus and Outbreak', kilobytes(held.reduce((sum, { size }) => sum + size, 0)), 6),
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
    ...(await gaugeBlock(session)),
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
  forms: [
    {
      usage: 'status detail',
      words: ['detail'],
      run: async (session, args) => {
        if (args.length > 0) throw new UserError('Usage: status [detail]')
        await show(session, true)
      },
    },
  ],
})
