import { ALERT_CLASSES, ALERT_SEVERITIES, alerts } from '../../../config/sections/alerts.ts'
import { UserError } from '../../../core/errors.ts'
import { emailAddress, integer } from '../../../core/schema.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

type Settings = (typeof alerts)['defaults']
type Recipient = Settings['recipients'][number]

const ALL = 'All'
const CLASS_WORDS = [ALL, ...ALERT_CLASSES] as const
const SEVERITY_WORDS = [ALL, ...ALERT_SEVERITIES] as const

const get = (session: Session): Settings => session.draft.get(alerts)
const set = (session: Session, change: Partial<Settings>): void =>
  session.draft.set(alerts, { ...get(session), ...change })

const listed = (words: readonly string[]): string => (words.length === 0 ? ALL : words.join(', '))

export const alertSummary = (settings: Settings): readonly string[] => [
  ...(settings.recipients.length === 0
    ? ['Not sending alerts (no configured addresses)']
    : [
        'Sending alerts to:',
        ...settings.recipients.flatMap((r) => [
          `  ${r.address}`,
          `    Class: ${listed(r.classes)} - Severities: ${listed(r.severities)}`,
        ]),
      ]),
  '',
  `Initial number of seconds to wait before sending a duplicate alert: ${settings.initialSeconds}`,
  `Maximum number of seconds to wait before sending a duplicate alert: ${settings.maximumSeconds}`,
  `Maximum number of alerts stored in the system are: ${settings.kept}`,
  '',
  settings.from === null
    ? 'Alerts will be sent using the system-default From Address.'
    : `Alerts will be sent using the configured From Address: ${settings.from}`,
]

/** `All` among the chosen words means every one, which is stored as none named. */
const chosen = <T extends string>(words: readonly (T | typeof ALL)[]): T[] =>
  words.includes(ALL) ? [] : words.filter((w): w is T => w !== ALL)

const indexes = (words: readonly string[], every: readonly string[]): readonly number[] =>
  words.length === 0 ? [0] : words.map((w) => every.indexOf(w))

const askRecipient = async (
  { ask }: Session,
  address: string,
  from: Omit<Recipient, 'address'>,
): Promise<Recipient> => {
  const multiple = 'Separate multiple choices with commas.'
  const classes = await ask.pickMany(
    `Choose the Alert Classes.  ${multiple}`,
    CLASS_WORDS,
    (w) => w,
    indexes(from.classes, CLASS_WORDS),
  )
  const severities = await ask.pickMany(
    `Select a Severity Level.  ${multiple}`,
    SEVERITY_WORDS,
    (w) => w,
    indexes(from.severities, SEVERITY_WORDS),
  )
  return { address, classes: chosen(classes), severities: chosen(severities) }
}

const add = (session: Session, recipient: Recipient): void => {
  if (get(session).recipients.some((r) => r.address.toLowerCase() === recipient.address.toLowerCase()))
    throw new UserError(`Alerts are sent to ${recipient.address} already.`)
  set(session, { recipients: [...get(session).recipients, recipient] })
}

const pick = async (session: Session, what: string): Promise<Recipient> =>
  await session.ask.pick(`Choose the address to ${what}:`, get(session).recipients, (r) => r.address, 0)

const setup = async (session: Session): Promise<void> => {
  const now = get(session)
  const seconds = (most: number) => integer(0, most)
  const initialSeconds = await session.ask.field(
    'Initial number of seconds to wait before sending a duplicate alert.  Enter 0 to send every alert:',
    seconds(86_400),
    now.initialSeconds,
  )
  const maximumSeconds = await session.ask.field(
    'Maximum number of seconds to wait before sending a duplicate alert:',
    seconds(604_800),
    now.maximumSeconds,
  )
  const kept = await session.ask.field('Maximum number of alerts to keep:', integer(1, 1000), now.kept)
  set(session, { initialSeconds, maximumSeconds, kept })
}

const OPERATIONS = {
  NEW: async (session: Session) => {
    const question = 'Please enter a new email address to send alerts.\n(Ex: "administrator@example.com")'
    const address = await session.ask.field(question, emailAddress)
    add(session, await askRecipient(session, address, { classes: [], severities: [] }))
  },
  EDIT: async (session: Session) => {
    const old = await pick(session, 'edit')
    const recipient = await askRecipient(session, old.address, old)
    set(session, { recipients: get(session).recipients.map((r) => (r === old ? recipient : r)) })
  },
  DELETE: async (session: Session) => {
    const old = await pick(session, 'delete')
    set(session, { recipients: get(session).recipients.filter((r) => r !== old) })
  },
  CLEAR: async (session: Session) => {
    const sure = await session.ask.confirm('Are you sure you want to remove all the alert addresses?', false)
    if (sure) set(session, { recipients: [] })
  },
  SETUP: setup,
  FROM: async (session: Session) => {
    const question = 'Enter the From Address of alerts; leave it empty for the system default.'
    set(session, { from: await session.ask.optional(question, emailAddress) })
  },
} as const

const NEW_USAGE = 'alertconfig new ADDRESS'
const DELETE_USAGE = 'alertconfig delete ADDRESS'

export default defineCommand({
  name: 'alertconfig',
  summary: 'Configure who gets alerts by mail',
  description:
    'Alerts are kept for displayalerts and mailed to the addresses given here, by class and severity. A repeated alert ' +
    'is mailed again only after a wait that doubles.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    wordForm(NEW_USAGE, ['new'], 1, (session, [word = '']) => {
      const address = readValue(emailAddress, word)
      add(session, { address: address, classes: [], severities: [] })
    }),
    wordForm(DELETE_USAGE, ['delete'], 1, (session, [address = '']) => {
      const recipients = get(session).recipients.filter((r) => r.address !== address)
      if (recipients.length === get(session).recipients.length) throw new UserError(`No alerts are sent to ${address}.`)
      set(session, { recipients })
    }),
  ],
  run: async (session) => {
    for (;;) {
      session.print(...alertSummary(get(session)))
      const some = get(session).recipients.length > 0
      const operation = await session.ask.choose({
        NEW: 'Add a new email address to send alerts.',
        ...(some ? { EDIT: 'Modify an alert subscription.', DELETE: 'Remove an email address.' } : {}),
        ...(some ? { CLEAR: 'Remove all email addresses.' } : {}),
        SETUP: 'Configure alert settings.',
        FROM: 'Configure the From Address of alert emails.',
      })
      if (operation === null) return
      await OPERATIONS[operation](session)
    }
  },
})
