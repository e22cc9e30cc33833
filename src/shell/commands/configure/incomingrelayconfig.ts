import { isAddressEntry } from '../../../config/host-entries.ts'
import { incomingRelays } from '../../../config/sections/incoming-relays.ts'
import type { IncomingRelay } from '../../../config/sections/incoming-relays.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { table as columns } from '../../format/columns.ts'
import { readForm, readValue, wordForm } from '../../options.ts'

const RECEIVED = 'Received'
const MODEL: IncomingRelay = { name: '', address: '', header: RECEIVED, matchAfter: 'from', hop: 1 }

const settings = ({ draft }: Session) => draft.get(incomingRelays)
const store = (session: Session, change: Partial<ReturnType<typeof settings>>): void =>
  session.draft.set(incomingRelays, { ...settings(session), ...change })

const relayName = (taken: readonly string[]): Field<string> => ({
  parse: (typed) => {
    const name = typed.trim()
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
      return fail('The name must have 1 to 64 letters, numbers, dots, hyphens and underscores.')
    return taken.includes(name) ? fail(`There is a relay '${name}' already.`) : ok(name)
  },
  format: (name) => name,
})

const relayAddress: Field<string> = {
  parse: (typed) =>
    isAddressEntry(typed.trim())
      ? ok(typed.trim().toLowerCase())
      : fail('The value must be an IP address or a CIDR block. (Ex: 10.1.1.1, 10.1.1.0/24, 2001:db8::/32)'),
  format: (address) => address,
}

const headerName: Field<string> = {
  parse: (typed) => {
    const name = typed.trim().replace(/:$/, '')
    return /^[!-9;-~]{1,70}$/.test(name)
      ? ok(name.toLowerCase() === 'received' ? RECEIVED : name)
      : fail('The value must be the name of a header. (Ex: X-Sender-IP)')
  },
  format: (name) => name,
}

const mark = text({ max: 64 })
const hops = integer(1, 100)

const find = (session: Session, name: string): IncomingRelay => {
  const found = settings(session).relays.find((r) => r.name === name)
  if (!found) throw new UserError(`There is no incoming relay '${printableCut(name, 80)}'.`)
  return found
}

const replace = (session: Session, old: IncomingRelay, next: IncomingRelay): void =>
  store(session, { relays: settings(session).relays.map((r) => (r.name === old.name ? next : r)) })

const remove = (session: Session, old: IncomingRelay): void =>
  store(session, { relays: settings(session).relays.filter((r) => r.name !== old.name) })

const table = (relays: readonly IncomingRelay[]): readonly string[] =>
  relays.length === 0
    ? ['There are no relays.']
    : columns(
        ['Name', 'IP Address', 'Header', 'Match After', 'Hops'],
        relays.map((r) =>
          r.header === RECEIVED
            ? [r.name, r.address, r.header, r.matchAfter, String(r.hop)]
            : [r.name, r.address, r.header, '-', '-'],
        ),
      )

const ADDRESS_QUESTION = `Enter the IP address of the incoming relay.
CIDR addresses such as 10.1.1.0/24 or 2001:db8::/32 are allowed.`

const askRelay = async (session: Session, old: IncomingRelay): Promise<IncomingRelay> => {
  const { ask } = session
  const taken = settings(session).relays.flatMap((r) => (r.name === old.name ? [] : [r.name]))
  const initial = <T>(value: T): T | undefined => (old.name === '' ? undefined : value)
  const name = await ask.field(
    'Enter a name for this incoming relay (Ex: "first-hop"):',
    relayName(taken),
    initial(old.name),
  )
  const address = await ask.field(ADDRESS_QUESTION, relayAddress, initial(old.address))
  const kinds = ['Use "Received:" header', 'Use a custom header'] as const
  const kind = await ask.pick(
    'Do you want to use the "Received:" header or a custom header to determine the originating IP address?',
    kinds,
    (k) => k,
    old.header === RECEIVED ? 0 : 1,
  )
  if (kind === kinds[1]) {
    const known = old.header === RECEIVED ? undefined : old.header
    const question = 'Enter the custom header name that contains the originating IP address:'
    return { ...MODEL, name, address, header: await ask.field(question, headerName, known) }
  }
  const matchAfter = await ask.field(
    'Within the "Received:" header, enter the special character or string after which to begin parsing for the originating IP address:',
    mark,
    old.matchAfter,
  )
  const question =
    'Within the headers, enter the position of the "Received:" header that contains the originating IP address:'
  return { name, address, header: RECEIVED, matchAfter, hop: await ask.field(question, hops, old.hop) }
}

const relayList = async (session: Session): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    const { relays } = settings(session)
    const n = relays.length
    print(n === 0 ? 'There are no relays.' : n === 1 ? 'There is 1 relay defined.' : `There are ${n} relays defined.`)
    const rest = { EDIT: 'Modify an entry.', DELETE: 'Remove an entry.', PRINT: 'Display the table.' } as const
    const operation = await ask.choose({ NEW: 'Create a new entry.', ...(n > 0 ? rest : {}) })
    if (operation === null) return
    if (operation === 'NEW') store(session, { relays: [...relays, await askRelay(session, MODEL)] })
    else if (operation === 'PRINT') print(...table(relays), '')
    else {
      const relay = await ask.pick('Choose the relay.', relays, (r) => r.name)
      if (operation === 'DELETE') remove(session, relay)
      else replace(session, relay, await askRelay(session, relay))
    }
  }
}

const state = (session: Session): string => `Incoming relays: ${settings(session).enabled ? 'Enabled' : 'Disabled'}`

const OPTIONS = ['header', 'match_after', 'hop'] as const
const USAGE = {
  new: 'incomingrelayconfig new NAME ADDRESS [--header=NAME] [--match_after=TEXT] [--hop=N]',
  edit: 'incomingrelayconfig edit NAME [--address=ADDRESS] [--header=NAME] [--match_after=TEXT] [--hop=N]',
  delete: 'incomingrelayconfig delete NAME',
  print: 'incomingrelayconfig print',
  setup: 'incomingrelayconfig setup enable|disable',
} as const

const withOptions = (relay: IncomingRelay, o: Readonly<Record<string, string | undefined>>): IncomingRelay => {
  const header = o['header'] === undefined ? relay.header : readValue(headerName, o['header'])
  const address = o['address'] === undefined ? relay.address : readValue(relayAddress, o['address'])
  if (header !== RECEIVED) {
    if (o['match_after'] !== undefined || o['hop'] !== undefined)
      throw new UserError('--match_after and --hop belong to the "Received:" header only.')
    return { ...MODEL, name: relay.name, address, header }
  }
  return {
    name: relay.name,
    address,
    header,
    matchAfter: o['match_after'] === undefined ? relay.matchAfter : readValue(mark, o['match_after']),
    hop: o['hop'] === undefined ? relay.hop : readValue(hops, o['hop']),
  }
}

export default defineCommand({
  name: 'incomingrelayconfig',
  summary: 'Configure incoming relays',
  description:
    'Names the hosts that stand between the senders and this appliance, and how their headers tell whom they have a message from. That address, not the relay’s, counts for reputation, SPF and sender domain reputation. Headers of hosts that are not named here are never believed.',
  options: {
    '--header=NAME': 'The field that names the client: Received, or one that the relay writes itself.',
    '--match_after=TEXT': 'Text in a Received field behind which the address stands; from when it is not said.',
    '--hop=N': 'Which Received field, counted from the top; 1 is the relay’s own.',
    '--address=ADDRESS': 'Another address of the relay.',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      print(state(session))
      const operation = await ask.choose({
        SETUP: 'Change global settings.',
        RELAYLIST: 'Configure incoming relays.',
      })
      if (operation === null) return
      if (operation === 'RELAYLIST') await relayList(session)
      else {
        const { enabled } = settings(session)
        store(session, { enabled: await ask.confirm('Do you want to enable incoming relays?', enabled) })
      }
    }
  },
  forms: [
    {
      usage: USAGE.new,
      words: ['new'],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE.new, args, { min: 2, max: 2, values: OPTIONS })
        const [name = '', address = ''] = words
        const { relays } = settings(session)
        const relay = { ...MODEL, name: readValue(relayName(relays.map((r) => r.name)), name) }
        store(session, { relays: [...relays, withOptions(relay, { ...options, address })] })
      },
    },
    {
      usage: USAGE.edit,
      words: ['edit'],
      run: async (session, args) => {
        const values = [...OPTIONS, 'address']
        const { words, options } = readForm(USAGE.edit, args, { min: 1, max: 1, values })
        const relay = find(session, words[0] ?? '')
        replace(session, relay, withOptions(relay, options))
      },
    },
    wordForm(USAGE.delete, ['delete'], 1, (session, [name = '']) => remove(session, find(session, name))),
    wordForm(USAGE.setup, ['setup'], 1, (session, [word = '']) => {
      if (!/^(?:enable|disable)$/i.test(word)) throw new UserError(`Say enable or disable. Usage: ${USAGE.setup}`)
      store(session, { enabled: word.toLowerCase() === 'enable' })
    }),
    wordForm(USAGE.print, ['print'], 0, (session) =>
      session.page([state(session), '', ...table(settings(session).relays)]),
    ),
  ],
})
