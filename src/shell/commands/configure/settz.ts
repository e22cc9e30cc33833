import { system } from '../../../config/sections/system.ts'
import { UserError } from '../../../core/errors.ts'
import { printableCut } from '../../../core/text.ts'
import type { ZoneRow } from '../../../core/timezone.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

const USAGE = 'settz ZONE'
const OFFSETS = 'GMT Offset'
const isOffset = (zone: string): boolean => zone.startsWith('Etc/')
const continentOf = (zone: string): string => zone.split('/')[0] ?? zone
const unique = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].sort((a, b) => a.localeCompare(b, 'en'))

const stage = ({ draft, appliance }: Session, zone: string): void => {
  if (appliance.zones.at(zone, appliance.env.clock.now()) === null)
    throw new UserError(`There is no time zone '${printableCut(zone, 60)}'. (Ex: America/New_York)`)
  draft.set(system, { ...draft.get(system), timezone: zone })
}

const pickZone = async ({ ask, appliance }: Session): Promise<string> => {
  const all = appliance.zones.list()
  const rows: readonly ZoneRow[] = appliance.zones.table?.().rows ?? []
  const continents = unique(all.filter((zone) => !isOffset(zone)).map(continentOf))
  const continent = await ask.pick('Please choose your continent:', [...continents, OFFSETS], (c) => c)
  if (continent === OFFSETS) return ask.pick('Please choose your GMT offset:', all.filter(isOffset), (zone) => zone)
  const there = rows.filter((row) => continentOf(row.zone) === continent)
  const country = await ask.pick('Please choose your country:', unique(there.map((row) => row.country)), (c) => c)
  const zones = there.filter((row) => row.country === country)
  const [only] = zones
  if (zones.length === 1 && only !== undefined) return only.zone
  const label = ({ zone, comment }: ZoneRow): string => (comment === '' ? zone : `${comment} (${zone})`)
  return (await ask.pick('Please choose your timezone:', zones, label)).zone
}

export default defineCommand({
  name: 'settz',
  summary: 'Set the time zone',
  description:
    'Sets the time zone of log lines and dates. Its names and letters come from the zone files of the system.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { draft, appliance, ask, print } = session
    for (;;) {
      print(
        `Current time zone: ${draft.get(system).timezone}`,
        `Current time zone version: ${appliance.zones.table?.().version ?? 'unknown'}`,
      )
      if ((await ask.choose({ SETUP: 'Set the local time zone.' })) === null) return
      stage(session, await pickZone(session))
    }
  },
  forms: [wordForm(USAGE, [], 1, (session, [word = '']) => stage(session, word))],
  complete: ({ appliance }, words) => (words.length === 0 ? appliance.zones.list() : []),
})
