import type { LoginRecord } from '../../../services/logins.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { table } from '../../format/columns.ts'
import { longestUnit } from '../../format/duration.ts'

/** `Sat May 15 23:42`. */
const short = ({ appliance }: Session, at: Date): string => appliance.time.stamp(at).slice(0, 16)

const ends = (session: Session, record: LoginRecord): string => {
  if (record.state === 'present') return 'still logged in'
  if (record.state === 'lost' || record.end === null) return 'gone, no logout'
  if (record.state === 'refused') return `refused, ${record.attempts} time${record.attempts === 1 ? '' : 's'}`
  return short(session, record.end) + (record.state === 'timed out' ? ' (idle)' : '')
}

const total = ({ appliance }: Session, record: LoginRecord): string => {
  if (record.state === 'refused' || record.state === 'lost') return '-'
  const end = record.end ?? appliance.env.clock.now()
  return longestUnit((end.getTime() - record.at.getTime()) / 1000)
}

export default defineCommand({
  name: 'last',
  summary: 'List who was logged in, newest first',
  description:
    'Lists the last 500 logins and failed attempts; attempts under one name from one place that follow each other are one line.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  run: async (session) => {
    const rows = session.appliance.logins
      .recent(500)
      .map((r) => [r.user, r.from, short(session, r.at), ends(session, r), total(session, r)])
    await session.page(table(['Username', 'Remote Host', 'Login Time', 'Logout Time', 'Total Time'], rows))
  },
})
