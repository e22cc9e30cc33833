import { UNTAGGED, bounceVerification } from '../../../config/sections/bounce-verification.ts'
import type { BounceKey } from '../../../config/sections/bounce-verification.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { oneOf, yesNo } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { misused, readForm, readValue } from '../../options.ts'

type Settings = typeof bounceVerification.defaults

const settings = ({ draft }: Session): Settings => draft.get(bounceVerification)
const change = (session: Session, to: Partial<Settings>): void =>
  session.draft.set(bounceVerification, { ...settings(session), ...to })

const MOST = 10
const MIN = 8
const MAX = 128
const typedKey: Field<string> = {
  parse: (text) =>
    text === '' || (text.length >= MIN && text.length <= MAX)
      ? ok(text)
      : fail(`The key must have ${MIN} to ${MAX} characters, or none for one that is made here.`),
  format: () => '',
}

/** '' = a key of random bytes. It signs from the commit on; those before it still verify. */
const addKey = (session: Session, typed: string): void => {
  const { keys } = settings(session)
  if (keys.length >= MOST) throw new UserError(`There are ${MOST} keys, which is all that tags can name. PURGE some.`)
  const { clock, entropy } = session.appliance.env
  const taken = new Set(keys.map((k) => k.number))
  let number = ((keys.at(-1)?.number ?? -1) + 1) % MOST
  while (taken.has(number)) number = (number + 1) % MOST
  const key = typed === '' ? Buffer.from(entropy.bytes(32)).toString('base64') : typed
  change(session, { keys: [...keys, { number, key, madeAt: Math.floor(clock.now().getTime() / 1000) }] })
}

const purge = (session: Session): number => {
  const { keys } = settings(session)
  change(session, { keys: keys.slice(-1) })
  return Math.max(0, keys.length - 1)
}

const clear = (session: Session): void => change(session, { keys: [], tagOutgoing: false, untagged: 'accept' })

const overview = (session: Session): readonly string[] => {
  const { keys, tagOutgoing, untagged } = settings(session)
  const made = ({ madeAt }: BounceKey): string => session.appliance.time.stampZone(new Date(madeAt * 1000))
  return [
    `Behavior on invalid bounces: ${untagged}`,
    `Tagging of outgoing mail: ${tagOutgoing ? 'on' : 'off'}`,
    ...(keys.length === 0 ? ['There are no keys.'] : ['Keys:']),
    ...keys.map((k, i) => `${k.number}. made ${made(k)}${i === keys.length - 1 ? ' (current outgoing key)' : ''}`),
  ]
}

const purged = (n: number): string => (n === 1 ? '1 key was purged.' : `${n} keys were purged.`)
const CLEARED = 'All keys are cleared; nothing is tagged and no bounce is refused.'

const setup = async (session: Session): Promise<void> => {
  const { ask } = session
  const { keys, tagOutgoing, untagged } = settings(session)
  if (keys.length === 0) throw new UserError('Make a key first, with KEY.')
  const tag = await ask.confirm('Do you want to tag the return path of outgoing mail?', tagOutgoing)
  const label = { accept: 'Accept.', reject: 'Reject.' } as const
  const question = `How do you want bounce messages which are not addressed to a valid tagged recipient to be handled?
Reject only after all mail has been tagged for as long as bounces may take (seven days).`
  change(session, {
    tagOutgoing: tag,
    untagged: await ask.pick(question, UNTAGGED, (u) => label[u], untagged === 'reject' ? 1 : 0),
  })
}

const USAGE = {
  key: 'bvconfig key',
  purge: 'bvconfig purge',
  clear: 'bvconfig clear',
  setup: 'bvconfig setup [--tag=yes|no] [--untagged=accept|reject]',
  print: 'bvconfig print',
} as const

export default defineCommand({
  name: 'bvconfig',
  summary: 'Configure bounce verification',
  description:
    'Signs the return path of outgoing mail with a key and a date, and refuses bounces to addresses of ours that have no such tag: they answer mail that somebody else sent in our name. Both are off until SETUP switches them on. A tag is good for seven days; earlier keys verify until they are purged. Keys are never shown.',
  options: {
    '--tag=yes|no': 'Whether outgoing mail is tagged.',
    '--untagged=accept|reject': 'What happens to a bounce to an address of ours without a valid tag.',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      print(...overview(session))
      const some = {
        PURGE: 'Purge keys no longer needed for verifying incoming mail.',
        CLEAR: 'Clear all keys including current key.',
        SETUP: 'Set what is tagged and how invalid bounces will be handled.',
      } as const
      const operation = await ask.choose({
        KEY: 'Assign a new key for tagging outgoing mail.',
        ...(settings(session).keys.length > 0 ? some : {}),
      })
      if (operation === null) return
      if (operation === 'KEY')
        addKey(
          session,
          await ask.field('Enter the key (empty: one is made):', typedKey, '', { bare: true, secret: true }),
        )
      else if (operation === 'SETUP') await setup(session)
      else if (operation === 'PURGE') {
        if (await ask.confirm('Purge all keys but the current one? Tags made with them are no longer valid.', false))
          print(purged(purge(session)))
      } else if (await ask.confirm('Are you sure you want to clear all keys?', false)) {
        clear(session)
        print(CLEARED)
      }
    }
  },
  forms: [
    {
      usage: USAGE.key,
      words: ['key'],
      run: async (session, args) => {
        readForm(USAGE.key, args, { min: 0, max: 0 })
        addKey(session, '')
      },
    },
    {
      usage: USAGE.purge,
      words: ['purge'],
      run: async (session, args) => {
        readForm(USAGE.purge, args, { min: 0, max: 0 })
        session.print(purged(purge(session)))
      },
    },
    {
      usage: USAGE.clear,
      words: ['clear'],
      run: async (session, args) => {
        readForm(USAGE.clear, args, { min: 0, max: 0 })
        clear(session)
        session.print(CLEARED)
      },
    },
    {
      usage: USAGE.setup,
      words: ['setup'],
      run: async (session, args) => {
        const { tag, untagged } = readForm(USAGE.setup, args, { min: 0, max: 0, values: ['tag', 'untagged'] }).options
        if (tag === undefined && untagged === undefined) throw misused('A value is missing.', USAGE.setup)
        if (settings(session).keys.length === 0) throw new UserError('Make a key first, with bvconfig key.')
        change(session, {
          ...(tag === undefined ? {} : { tagOutgoing: readValue(yesNo, tag) }),
          ...(untagged === undefined ? {} : { untagged: readValue(oneOf(UNTAGGED), untagged) }),
        })
      },
    },
    {
      usage: USAGE.print,
      words: ['print'],
      run: async (session, args) => {
        readForm(USAGE.print, args, { min: 0, max: 0 })
        await session.page(overview(session))
      },
    },
  ],
})
