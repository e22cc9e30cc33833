import type { LocalTime } from '../../../core/localtime.ts'
import { integer } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import type { Alert } from '../../../logs/alerts.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

const USAGE = 'displayalerts [COUNT]'
const MAX = 1000
const DATE_WIDTH = 40

/** `10 Mar 2015 11:33:36 +0000` */
const alertDate = (at: Date, time: LocalTime): string => {
  const [, month = '', day = '', clock = '', year = ''] = time.stamp(at).split(/ +/)
  const offset = Math.round(time.offsetSeconds(at) / 60)
  const size = Math.abs(offset)
  const zone = `${offset < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}${String(size % 60).padStart(2, '0')}`
  return `${day.padStart(2, '0')} ${month} ${year} ${clock} ${zone}`
}

/** Newest first; further lines of an alert stand under its first. */
export const alertTable = (alerts: readonly Alert[], time: LocalTime): readonly string[] => [
  `${'Date and Time Stamp'.padEnd(DATE_WIDTH)}Description`,
  '-'.repeat(80),
  ...alerts.flatMap((alert) =>
    alert.text
      .split('\n')
      .map((line, i) => `${(i === 0 ? alertDate(alert.at, time) : '').padEnd(DATE_WIDTH)}${printable(line)}`.trimEnd()),
  ),
]

const show = async (session: Session, count: number): Promise<void> => {
  const alerts = session.appliance.alerts.recent(count)
  if (alerts.length === 0) session.print('There are no alerts.')
  else await session.page(alertTable(alerts, session.appliance.time))
}

export default defineCommand({
  name: 'displayalerts',
  summary: 'Show the last alerts',
  description: 'Shows the alerts that the appliance raised, newest first: all that are kept, or as many as asked.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], 1, async (session, [word = '']) => {
      const count = readValue(integer(1, MAX), word)
      await show(session, count)
    }),
  ],
  run: async (session) => await show(session, MAX),
})
