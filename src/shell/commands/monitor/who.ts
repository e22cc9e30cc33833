import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { longestUnit } from '../../format/duration.ts'
import { table } from '../../format/columns.ts'

/** `03:27PM`, in the configured zone. */
const timeOfDay = ({ appliance }: Session, at: Date): string => {
  const [, hour = '0', minute = ''] = / (\d\d):(\d\d):/.exec(appliance.time.stamp(at)) ?? []
  const h = Number(hour)
  return `${String(h % 12 === 0 ? 12 : h % 12).padStart(2, '0')}:${minute}${h < 12 ? 'AM' : 'PM'}`
}

export default defineCommand({
  name: 'who',
  summary: 'List who is logged in',
  description: 'Lists the sessions that are open now, how long nothing was typed in each, and where it comes from.',
  category: 'monitor',
  roles: READERS,
  needsCommit: false,
  run: async (session) => {
    const rows = session.appliance.logins
      .present()
      .map((p) => [p.user, timeOfDay(session, p.at), longestUnit(p.idleMs / 1000), p.from, p.what])
    session.print(...table(['Username', 'Login Time', 'Idle Time', 'Remote Host', 'What'], rows))
  },
})
