import { geolocation } from '../../../config/sections/geolocation.ts'
import { fail, ok } from '../../../core/result.ts'
import type { Field } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { ipAddress } from '../../listeners.ts'
import { readValue, wordForm } from '../../options.ts'

const USAGE = {
  setup: 'geolocationconfig setup FILE|none',
  lookup: 'geolocationconfig lookup ADDRESS',
  print: 'geolocationconfig print',
} as const

const fileName: Field<string> = {
  parse: (typed) => {
    const name = typed.trim()
    if (name.toLowerCase() === 'none') return ok('')
    return /^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}$/.test(name)
      ? ok(name)
      : fail(
          'The value must be the name of a file in the configuration directory, or none. (Ex: GeoLite2-Country.mmdb)',
        )
  },
  format: (name) => (name === '' ? 'none' : name),
}

/** What is configured, and what the appliance has in memory of what it runs with. */
const overview = async (session: Session): Promise<readonly string[]> => {
  const { file } = session.draft.get(geolocation)
  const status = await session.appliance.geolocation.refresh()
  const head = `Country database: ${file === '' ? 'none' : file}`
  if (file === '' || status.file !== file) return [head]
  const { loaded, problem } = status
  return [
    head,
    ...(loaded ? [`Type: ${printable(loaded.type)}`, `Built: ${loaded.builtAt.toISOString().slice(0, 10)}`] : []),
    ...(problem === null ? [] : [`Problem: ${printable(problem)}`]),
  ]
}

const lookup = async (session: Session, address: string): Promise<void> => {
  const { geolocation: service } = session.appliance
  await service.refresh()
  const found = service.of(address)
  if (found.kind === 'country') session.print(`${address}: ${found.name} (geo[${found.code}])`, '')
  else session.print(`${address}: ${found.kind === 'unknown' ? 'unknown' : 'no country database is in use'}`, '')
}

const QUESTION = `Enter the name of the country database in the configuration directory of the appliance.
It must be in the MaxMind DB format. "none" means that there is none.`

export default defineCommand({
  name: 'geolocationconfig',
  summary: 'Configure the country database',
  description:
    "Names a local database (MaxMind DB format) that says in which country a client's address is, for sender groups with geo[...] entries and for the log. The file is read again within half a minute after it was replaced.",
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      session.print(...(await overview(session)))
      const operation = await session.ask.choose({
        SETUP: 'Choose the country database.',
        LOOKUP: 'Show the country of an address.',
      })
      if (operation === null) return
      if (operation === 'LOOKUP') await lookup(session, await session.ask.field('Enter the IP address.', ipAddress))
      else {
        const file = await session.ask.field(QUESTION, fileName, session.draft.get(geolocation).file)
        session.draft.set(geolocation, { file })
      }
    }
  },
  forms: [
    wordForm(USAGE.setup, ['setup'], 1, (session, [file = '']) =>
      session.draft.set(geolocation, { file: readValue(fileName, file) }),
    ),
    wordForm(USAGE.lookup, ['lookup'], 1, (session, [address = '']) => lookup(session, readValue(ipAddress, address))),
    wordForm(USAGE.print, ['print'], 0, async (session) => session.page(await overview(session))),
  ],
})
