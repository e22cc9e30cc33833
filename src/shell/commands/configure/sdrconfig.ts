import { addressLists } from '../../../config/sections/address-lists.ts'
import { sdr } from '../../../config/sections/sdr.ts'
import { UserError } from '../../../core/errors.ts'
import { integer } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

type Sdr = typeof sdr.defaults

const VOCABULARIES = ['threat_level', 'reputation'] as const
const WORDS: Readonly<Record<Sdr['vocabulary'], string>> = {
  threat_level: 'Sender Threat Level (Untrusted, Questionable, Neutral, Favorable, Trusted, Unknown)',
  reputation: 'Sender Reputation (Awful, Poor, Tainted, Weak, Unknown, Neutral, Good)',
}
const timeout = integer(1, 10)

const stage = (session: Session, change: Partial<Sdr>): void => {
  const before = session.draft.get(sdr)
  const after = { ...before, ...change }
  if (JSON.stringify(after) !== JSON.stringify(before)) session.draft.set(sdr, after)
}

const onOff = (on: boolean): string => (on ? 'enabled' : 'disabled')

const summary = (value: Sdr): readonly string[] => [
  `Sender Domain Reputation: ${onOff(value.enabled)}`,
  `Include Additional Attributes: ${onOff(value.additionalAttributes)}`,
  `Query Timeout: ${value.timeoutSeconds} seconds`,
  `Match Domain Exception List based on Domain in Envelope From: ${onOff(value.exceptionMatchEnvelopeOnly)}`,
  `Domain Exception List: ${value.exceptionList === null ? 'None' : printable(value.exceptionList)}`,
  `Verdicts are shown as ${WORDS[value.vocabulary]}`,
]

const domainLists = (session: Session): readonly string[] =>
  session.draft
    .get(addressLists)
    .filter((l) => l.type === 'domains')
    .map((l) => l.name)

const askExceptionList = async (session: Session, present: string | null): Promise<string | null> => {
  const { ask, print } = session
  if (!(await ask.confirm('Would you like to use a Domain Exception List?', present !== null))) return null
  const lists = domainLists(session)
  if (lists.length === 0) {
    print('There are no address lists of the type Domains only. Create one with addresslistconfig.', '')
    return present
  }
  const index = present === null ? 0 : Math.max(0, lists.indexOf(present))
  return await ask.pick('Choose the Domain Exception List:', lists, printable, index)
}

const setup = async (session: Session): Promise<void> => {
  const { ask, draft, print } = session
  const value = draft.get(sdr)
  const enabled = await ask.confirm('Would you like to enable sender domain reputation check?', value.enabled)
  if (!enabled) {
    stage(session, { enabled })
    print('Sender Domain Reputation is disabled.')
    return
  }
  const additionalAttributes = await ask.confirm(
    'Do you want to opt in sending additional attributes of the message for sender domain reputation check?',
    value.additionalAttributes,
  )
  const exceptionMatchEnvelopeOnly = await ask.confirm(
    'Would you like to enable Domain Exception List match based on the domain in the Envelope From: header only?',
    value.exceptionMatchEnvelopeOnly,
  )
  const exceptionList = await askExceptionList(session, value.exceptionList)
  const timeoutSeconds = await ask.field('Enter SDR query timeout in seconds', timeout, value.timeoutSeconds)
  const vocabulary = await ask.pick(
    'How should verdicts be shown in logs and tracking?',
    VOCABULARIES,
    (v) => WORDS[v],
    VOCABULARIES.indexOf(value.vocabulary),
  )
  stage(session, {
    enabled,
    additionalAttributes,
    exceptionMatchEnvelopeOnly,
    exceptionList,
    timeoutSeconds,
    vocabulary,
  })
}

const form = (word: string, argument: string, act: (session: Session, value: string) => void): Form => {
  const usage = `sdrconfig ${word}${argument === '' ? '' : ` ${argument}`}`
  return wordForm(usage, [word], argument === '' ? 0 : 1, (session, [value = '']) => act(session, value))
}

const setTimeoutSeconds = (session: Session, value: string): void => {
  const parsed = readValue(timeout, value)
  stage(session, { timeoutSeconds: parsed })
}

const setExceptionList = (session: Session, name: string): void => {
  if (name.toLowerCase() === 'none') return stage(session, { exceptionList: null })
  if (!domainLists(session).includes(name))
    throw new UserError(`There is no address list '${printable(name)}' of the type Domains only.`)
  return stage(session, { exceptionList: name })
}

const setVocabulary = (session: Session, word: string): void => {
  const vocabulary = VOCABULARIES.find((v) => v === word.toLowerCase())
  if (vocabulary === undefined) throw new UserError(`The value must be one of: ${VOCABULARIES.join(', ')}.`)
  stage(session, { vocabulary })
}

export default defineCommand({
  name: 'sdrconfig',
  summary: 'Configure Sender Domain Reputation',
  description:
    'Sender Domain Reputation judges the domains of incoming messages before the mail policy is chosen. Verdicts act in ' +
    'message and content filters only. Either vocabulary shows the same inner scale, and filters may use both.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('enable', '', (session) => stage(session, { enabled: true })),
    form('disable', '', (session) => stage(session, { enabled: false })),
    form('timeout', 'SECONDS', setTimeoutSeconds),
    form('exceptionlist', 'NAME|none', setExceptionList),
    form('vocabulary', VOCABULARIES.join('|'), setVocabulary),
    form('print', '', (session) => session.print(...summary(session.draft.get(sdr)))),
  ],
  run: setup,
})
