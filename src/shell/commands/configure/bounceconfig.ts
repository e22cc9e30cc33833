import { bounceProfiles } from '../../../config/sections/bounce-profiles.ts'
import type { BounceProfile } from '../../../config/sections/bounce-profiles.ts'
import { delivery } from '../../../config/sections/delivery.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { emailAddress, integer } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readForm, readValue, wordForm } from '../../options.ts'

type Choice = BounceProfile['sendBounces']

const DEFAULT = 'Default'
const WORDS: Readonly<Record<Choice, string>> = { yes: 'Y', no: 'N', default: 'Default' }

const choice = (withDefault: boolean): Field<Choice> => ({
  parse: (text) => {
    const t = text.trim().toLowerCase()
    if (t === 'y' || t === 'yes') return ok('yes')
    if (t === 'n' || t === 'no') return ok('no')
    if (withDefault && t !== '' && 'default'.startsWith(t)) return ok('default')
    return fail(withDefault ? 'Please answer Yes, No or Default.' : 'Please answer Yes or No.')
  },
  format: (c) => WORDS[c],
})

const nameField = (session: Session): Field<string> => ({
  parse: (text) => {
    const name = text.trim()
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
      return fail('The value must have only letters, digits, dots, hyphens and underscores.')
    return names(session).some((n) => n.toLowerCase() === name.toLowerCase())
      ? fail(`The bounce profile '${name}' exists already.`)
      : ok(name)
  },
  format: (name) => name,
})

/** Default, as a profile like the others. */
const defaultProfile = ({ draft }: Session): BounceProfile => {
  const d = draft.get(delivery)
  const word = (b: boolean): Choice => (b ? 'yes' : 'no')
  return {
    name: DEFAULT,
    maxRetries: d.maxRetries,
    maxQueueSeconds: d.maxQueueSeconds,
    initialRetrySeconds: d.initialRetrySeconds,
    maxRetrySeconds: d.maxRetrySeconds,
    sendBounces: word(d.sendBounces),
    dsnFormat: word(d.dsnFormat),
    sendWarnings: word(d.sendWarnings),
    warningSeconds: d.warningSeconds,
    warningCount: d.warningCount,
    alternateAddress: d.alternateAddress,
  }
}

const all = (session: Session): readonly BounceProfile[] => [
  defaultProfile(session),
  ...session.draft.get(bounceProfiles),
]
const names = (session: Session): readonly string[] => all(session).map((p) => p.name)

const find = (session: Session, name: string): BounceProfile => {
  const found = all(session).find((p) => p.name.toLowerCase() === name.toLowerCase())
  if (!found) throw new UserError(`There is no bounce profile '${printableCut(name, 64)}'.`)
  return found
}

const put = (session: Session, profile: BounceProfile): void => {
  const { name, sendBounces, dsnFormat, sendWarnings, ...times } = profile
  if (name === DEFAULT) {
    session.draft.set(delivery, {
      ...session.draft.get(delivery),
      ...times,
      sendBounces: sendBounces === 'yes',
      dsnFormat: dsnFormat === 'yes',
      sendWarnings: sendWarnings === 'yes',
    })
    return
  }
  const profiles = session.draft.get(bounceProfiles)
  const known = profiles.some((p) => p.name === profile.name)
  session.draft.set(
    bounceProfiles,
    known ? profiles.map((p) => (p.name === profile.name ? profile : p)) : [...profiles, profile],
  )
}

const remove = (session: Session, profile: BounceProfile): void => {
  if (profile.name === DEFAULT) throw new UserError('The profile Default cannot be deleted.')
  session.draft.set(
    bounceProfiles,
    session.draft.get(bounceProfiles).filter((p) => p.name !== profile.name),
  )
  session.print(`The bounce profile ${profile.name} has been deleted.`)
}

const askProfile = async (session: Session, old: BounceProfile): Promise<BounceProfile> => {
  const { ask } = session
  const isDefault = old.name === DEFAULT
  const choices = isDefault ? '(Yes/No)' : '(Yes/No/Default)'
  const maxRetries = await ask.field('Please enter the maximum number of retries.', integer(0, 10_000), old.maxRetries)
  const maxQueueSeconds = await ask.field(
    'Please enter the maximum number of seconds a message may stay in the queue before being hard bounced.',
    integer(60, 2_592_000),
    old.maxQueueSeconds,
  )
  const initialRetrySeconds = await ask.field(
    'Please enter the initial number of seconds to wait before retrying a message.',
    integer(1, 86_400),
    old.initialRetrySeconds,
  )
  const maxRetrySeconds = await ask.field(
    'Please enter the maximum number of seconds to wait before retrying a message.',
    integer(initialRetrySeconds, 86_400),
    Math.max(initialRetrySeconds, old.maxRetrySeconds),
  )
  const sendBounces = await ask.field(
    `Do you want a message sent for each hard bounce? ${choices}`,
    choice(!isDefault),
    old.sendBounces,
  )
  const dsnFormat =
    sendBounces === 'no'
      ? old.dsnFormat
      : await ask.field(
          `Do you want bounce messages to use the DSN message format? ${choices}`,
          choice(!isDefault),
          old.dsnFormat,
        )
  const sendWarnings = await ask.field(
    `If a message is undeliverable after some interval, do you want to send a delay warning message? ${choices}`,
    choice(!isDefault),
    old.sendWarnings,
  )
  const warns = sendWarnings === 'yes'
  const warningSeconds = warns
    ? await ask.field(
        'Please enter the minimum interval in seconds between delay warning messages.',
        integer(60, 2_592_000),
        old.warningSeconds,
      )
    : old.warningSeconds
  const warningCount = warns
    ? await ask.field(
        'Please enter the maximum number of delay warning messages to send per message.',
        integer(1, 100),
        old.warningCount,
      )
    : old.warningCount
  const elsewhere = await ask.confirm(
    'Do you want hard bounce and delay warning messages sent to an alternate address, instead of the sender?',
    old.alternateAddress !== null,
  )
  const alternateAddress = elsewhere
    ? await ask.field(
        'Please enter the email address to send hard bounce and delay warning messages to.',
        emailAddress,
        old.alternateAddress ?? undefined,
      )
    : null
  return {
    name: old.name,
    maxRetries,
    maxQueueSeconds,
    initialRetrySeconds,
    maxRetrySeconds,
    sendBounces,
    dsnFormat,
    sendWarnings,
    warningSeconds,
    warningCount,
    alternateAddress,
  }
}

/** What a new profile starts from: the figures of Default, its answers by reference. */
const fresh = (session: Session, name: string): BounceProfile => ({
  ...defaultProfile(session),
  name,
  sendBounces: 'default',
  dsnFormat: 'default',
  sendWarnings: 'default',
  alternateAddress: null,
})

const long = (c: Choice): string => ({ yes: 'Yes', no: 'No', default: 'Default' })[c]
const detail = (p: BounceProfile): readonly string[] => [
  `Profile: ${p.name}`,
  `Maximum number of retries: ${p.maxRetries}`,
  `Maximum number of seconds in the queue: ${p.maxQueueSeconds}`,
  `Initial number of seconds before a retry: ${p.initialRetrySeconds}`,
  `Maximum number of seconds before a retry: ${p.maxRetrySeconds}`,
  `Send a message for each hard bounce: ${long(p.sendBounces)}`,
  `DSN message format: ${long(p.dsnFormat)}`,
  `Send delay warning messages: ${long(p.sendWarnings)}` +
    (p.sendWarnings === 'yes' ? ` (every ${p.warningSeconds} seconds, at most ${p.warningCount})` : ''),
  `Alternate address: ${p.alternateAddress ?? 'None'}`,
]

const dialogue = async (session: Session): Promise<void> => {
  for (;;) {
    session.print('Current bounce profiles:', ...names(session).map((name, i) => `${i + 1}. ${name}`))
    const operation = await session.ask.choose({
      NEW: 'Create a new profile.',
      EDIT: 'Modify a profile.',
      ...(all(session).length > 1 ? { DELETE: 'Remove a profile.' } : {}),
      PRINT: 'Display a profile.',
    })
    if (operation === null) return
    if (operation === 'NEW') {
      const name = await session.ask.field('Please create a name for the profile:', nameField(session))
      put(session, await askProfile(session, fresh(session, name)))
      continue
    }
    const from = operation === 'DELETE' ? all(session).slice(1) : all(session)
    const profile = await session.ask.pick(
      `Please enter the number of the profile to ${operation.toLowerCase()}:`,
      from,
      (p) => p.name,
    )
    if (operation === 'EDIT') {
      put(session, await askProfile(session, profile))
      continue
    }
    if (operation === 'DELETE') remove(session, profile)
    else session.print(...detail(profile))
    session.print('')
  }
}

const form = (word: string, run: (session: Session, name: string) => void): Form =>
  wordForm(`bounceconfig ${word} PROFILE`, [word], 1, (session, [name = '']) => run(session, name))

const OPTIONS = {
  '--retries=VALUE': 'how often a message is tried again at most',
  '--queue=VALUE': 'seconds in the queue',
  '--initial=VALUE': 'seconds before the first retry',
  '--maximum=VALUE': 'seconds before a retry at most',
  '--bounces=VALUE': 'a message for each hard bounce: yes, no or default',
  '--dsn=VALUE': 'the DSN format: yes, no or default',
  '--warnings=VALUE': 'delay warnings: yes, no or default',
  '--interval=VALUE': 'seconds between delay warnings',
  '--count=VALUE': 'delay warnings for a message',
  '--alternate=VALUE': 'the address that takes bounces and warnings, or none',
} as const

const withOptions = (old: BounceProfile, options: Readonly<Record<string, string | undefined>>): BounceProfile => {
  const value = <T>(key: string, field: Field<T>, now: T): T => {
    const typed = options[key]
    if (typed === undefined) return now
    const parsed = field.parse(typed)
    if (!parsed.ok) throw new UserError(`--${key}: ${parsed.error}`)
    return parsed.value
  }
  const answer = choice(old.name !== DEFAULT)
  const initialRetrySeconds = value('initial', integer(1, 86_400), old.initialRetrySeconds)
  const maxRetrySeconds = value('maximum', integer(1, 86_400), old.maxRetrySeconds)
  if (maxRetrySeconds < initialRetrySeconds)
    throw new UserError(`--maximum (${maxRetrySeconds}) must not be below --initial (${initialRetrySeconds}).`)
  return {
    name: old.name,
    maxRetries: value('retries', integer(0, 10_000), old.maxRetries),
    maxQueueSeconds: value('queue', integer(60, 2_592_000), old.maxQueueSeconds),
    initialRetrySeconds,
    maxRetrySeconds,
    sendBounces: value('bounces', answer, old.sendBounces),
    dsnFormat: value('dsn', answer, old.dsnFormat),
    sendWarnings: value('warnings', answer, old.sendWarnings),
    warningSeconds: value('interval', integer(60, 2_592_000), old.warningSeconds),
    warningCount: value('count', integer(1, 100), old.warningCount),
    alternateAddress:
      options['alternate']?.toLowerCase() === 'none'
        ? null
        : value<string | null>('alternate', emailAddress, old.alternateAddress),
  }
}

const writing = (word: string, start: (session: Session, name: string) => BounceProfile, done: string): Form => {
  const values = Object.keys(OPTIONS).map((o) => o.slice(2, o.indexOf('=')))
  const usage = `bounceconfig ${word} PROFILE${Object.keys(OPTIONS)
    .map((o) => ` [${o}]`)
    .join('')}`
  return {
    usage,
    words: [word],
    run: async (session, args) => {
      const { words, options } = readForm(usage, args, { min: 1, max: 1, values })
      const profile = withOptions(start(session, words[0] ?? ''), options)
      put(session, profile)
      session.print(`The bounce profile ${profile.name} has been ${done}.`)
    },
  }
}

const created = (session: Session, name: string): BounceProfile => {
  const parsed = readValue(nameField(session), name)
  return fresh(session, parsed)
}

export default defineCommand({
  name: 'bounceconfig',
  summary: 'Configure bounce profiles',
  description:
    'A bounce profile says how long and how often a message is tried, and who is told when it cannot be delivered or is ' +
    'delayed. The profile Default holds unless destconfig names another for a destination.',
  example: 'dialogue',
  options: OPTIONS,
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: dialogue,
  forms: [
    writing('new', created, 'created'),
    writing('edit', find, 'changed'),
    form('print', (session, name) => session.print(...detail(find(session, name)))),
    form('delete', (session, name) => remove(session, find(session, name))),
  ],
})
