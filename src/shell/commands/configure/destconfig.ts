import { readConfigurationFile } from '../../../config/files.ts'
import { bounceProfiles } from '../../../config/sections/bounce-profiles.ts'
import { delivery } from '../../../config/sections/delivery.ts'
import { DANE_MODES, destinations, TLS_MODES } from '../../../config/sections/destinations.ts'
import type { Destination } from '../../../config/sections/destinations.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, isHostname, oneOf, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { writeExport } from '../../files.ts'
import { DANE_WORDS, TLS_WORDS, destinationDetail, destinationTable } from '../../format/destination-tables.ts'
import { EMPTY_DESTINATION, parseDestinations, printDestinations } from '../../format/destinations.ts'
import { readForm } from '../../options.ts'

type Settings = (typeof destinations)['defaults']
type Entry = Omit<Destination, 'domain'>

const read = ({ draft }: Session): Settings => draft.get(destinations)
const write = (session: Session, settings: Settings): void => session.draft.set(destinations, settings)

const domainField = (session: Session): Field<string> => ({
  parse: (text) => {
    const name = text.trim().toLowerCase()
    if (!isHostname(name.replace(/^\./, '')))
      return fail('The value must be a domain or a partial domain. (Ex: example.com, .example.com)')
    return read(session).domains.some((d) => d.domain === name)
      ? fail(`There is an entry for ${name} already; edit it.`)
      : ok(name)
  },
  format: (name) => name,
})

const find = (session: Session, name: string): Destination => {
  const found = read(session).domains.find((d) => d.domain === name.toLowerCase())
  if (!found) throw new UserError(`There is no destconfig entry for ${printableCut(name, 100)}.`)
  return found
}

const put = (session: Session, entry: Destination): void => {
  const settings = read(session)
  const known = settings.domains.some((d) => d.domain === entry.domain)
  const domains = known
    ? settings.domains.map((d) => (d.domain === entry.domain ? entry : d))
    : [...settings.domains, entry]
  write(session, { ...settings, domains })
}

const remove = (session: Session, entry: Destination): void => {
  const settings = read(session)
  write(session, { ...settings, domains: settings.domains.filter((d) => d !== entry) })
  session.print(`${entry.domain} is now configured with the default entry.`)
}

/** The answers of NEW and EDIT. `of` ends the questions: `partner.com` or `the default entry`. */
const askEntry = async (session: Session, of: string, now: Entry, fallback: Settings['default']): Promise<Entry> => {
  const { ask } = session
  const limited = await ask.confirm(`Do you wish to configure a concurrency limit for ${of}?`, true)
  const concurrency = limited
    ? await ask.field('Enter the max concurrency limit:', integer(1, 1000), now.concurrency ?? fallback.concurrency)
    : null
  const perConnection = await ask.confirm(
    `Do you wish to apply a messages-per-connection limit to ${of}?`,
    now.messagesPerConnection !== null,
  )
  const messagesPerConnection = perConnection
    ? await ask.field(
        'Enter the number of messages per connection:',
        integer(1, 1000),
        now.messagesPerConnection ?? fallback.messagesPerConnection,
      )
    : null
  const quota = await ask.confirm(`Do you wish to apply a recipient limit to ${of}?`, now.recipients !== null)
  const recipientMinutes = quota
    ? await ask.field(
        'Enter the number of minutes used to measure the recipient limit:',
        integer(1, 60),
        now.recipientMinutes,
      )
    : EMPTY_DESTINATION.recipientMinutes
  const recipients = quota
    ? await ask.field(
        `Enter the max number of recipients per ${recipientMinutes} minutes:`,
        integer(1, 1_000_000),
        now.recipients ?? undefined,
      )
    : null
  const encrypted = await ask.confirm(`Do you wish to apply a specific TLS setting for ${of}?`, now.tls !== null)
  const tls = encrypted
    ? await ask.pick(
        'Do you want to use TLS support?',
        TLS_MODES,
        (m) => TLS_WORDS[m],
        TLS_MODES.indexOf(now.tls ?? fallback.tls),
      )
    : null
  const secured =
    (tls ?? fallback.tls) === 'no' ? { dane: null, mtaSts: null } : await askSupport(session, of, now, fallback)
  const ownTagging = await ask.confirm(
    `Do you wish to apply a specific bounce verification address tagging setting for ${of}?`,
    now.bounceVerification !== null,
  )
  return {
    concurrency,
    messagesPerConnection,
    recipients,
    recipientMinutes,
    tls,
    ...secured,
    bounceVerification: ownTagging
      ? await ask.confirm('Perform bounce verification address tagging?', now.bounceVerification ?? true)
      : null,
    bounceProfile: await askProfile(session, of, now),
  }
}

/** What proves that a host is the domain's; nothing without TLS. */
const askSupport = async (
  session: Session,
  of: string,
  now: Entry,
  fallback: Settings['default'],
): Promise<Pick<Entry, 'dane' | 'mtaSts'>> => {
  const { ask } = session
  const ownDane = await ask.confirm(`Do you wish to configure DANE support for ${of}?`, now.dane !== null)
  const dane = ownDane
    ? await ask.pick(
        'Choose the DANE support:',
        DANE_MODES,
        (m) => DANE_WORDS[m],
        DANE_MODES.indexOf(now.dane ?? fallback.dane),
      )
    : null
  const ownSts = await ask.confirm(`Do you wish to configure MTA STS support for ${of}?`, now.mtaSts !== null)
  return {
    dane,
    mtaSts: ownSts ? await ask.confirm('Do you want to use MTA STS support?', now.mtaSts ?? true) : null,
  }
}

const askProfile = async (session: Session, of: string, now: Entry): Promise<string | null> => {
  const profiles = session.draft.get(bounceProfiles)
  if (profiles.length === 0) return null
  const wanted = await session.ask.confirm(
    `Do you wish to apply a specific bounce profile to ${of}?`,
    now.bounceProfile !== null,
  )
  if (!wanted) return null
  const at = profiles.findIndex((p) => p.name === now.bounceProfile)
  return (await session.ask.pick('Choose a bounce profile to apply:', profiles, (p) => p.name, Math.max(0, at))).name
}

const setDefault = (session: Session, answers: Entry): void => {
  const settings = read(session)
  write(session, {
    ...settings,
    default: {
      concurrency: answers.concurrency ?? destinations.defaults.default.concurrency,
      messagesPerConnection: answers.messagesPerConnection ?? destinations.defaults.default.messagesPerConnection,
      recipients: answers.recipients,
      recipientMinutes: answers.recipientMinutes,
      tls: answers.tls ?? destinations.defaults.default.tls,
      dane: answers.dane ?? destinations.defaults.default.dane,
      mtaSts: answers.mtaSts ?? destinations.defaults.default.mtaSts,
      bounceVerification: answers.bounceVerification,
      bounceProfile: answers.bounceProfile,
    },
  })
  session.print('The default entry has been updated.')
}

const detail = (session: Session, name: string): readonly string[] =>
  name.toUpperCase() === 'DEFAULT'
    ? destinationDetail(null, read(session).default)
    : destinationDetail(name.toLowerCase(), find(session, name))

const clear = (session: Session): void => {
  write(session, destinations.defaults)
  session.print('All destconfig entries removed; the default entry is as it was first.')
}

const importFile = async (session: Session, file: string): Promise<void> => {
  const settings = parseDestinations(file, await readConfigurationFile(session.appliance.home, file), {
    base: read(session).default,
    initial: destinations.defaults.default,
    profiles: session.draft.get(bounceProfiles).map((p) => p.name),
  })
  write(session, settings)
  const n = settings.domains.length
  session.print(`${n} ${n === 1 ? 'entry' : 'entries'} imported; they replace what was there.`)
}

const exportFile = async (session: Session, file: string): Promise<void> => {
  const path = await writeExport(session, file, printDestinations(read(session)))
  session.print(`Destination controls written to ${printable(path)}.`)
}

const GLOBAL_CONCURRENCY = integer(1, 10_000)
const setGlobal = ({ draft, print }: Session, maxConcurrency: number): void => {
  draft.set(delivery, { ...draft.get(delivery), maxConcurrency })
  print(`At most ${maxConcurrency} deliveries at the same time, to all destinations together.`)
}

const overview = (session: Session): string => {
  const n = read(session).domains.length
  return n === 1 ? 'There is currently 1 entry configured.' : `There are currently ${n} entries configured.`
}

const NOTE = 'The setting of TLS acts on connections that are opened after the commit.'

const dialogue = async (session: Session): Promise<void> => {
  const { ask } = session
  for (;;) {
    session.print(overview(session))
    const { domains } = read(session)
    const some = domains.length > 0
    const operation = await ask.choose({
      SETUP: 'Change global settings.',
      NEW: 'Create a new entry.',
      ...(some ? { EDIT: 'Modify an entry.', DELETE: 'Remove an entry.' } : {}),
      DEFAULT: 'Change the default.',
      LIST: 'Display a summary list of all entries.',
      DETAIL: 'Display details for one destination or all entries.',
      ...(some ? { CLEAR: 'Remove all entries.' } : {}),
      IMPORT: 'Import entries from a file.',
      EXPORT: 'Export all entries to a file.',
    })
    if (operation === null) return
    const chosen = async (question: string): Promise<Destination> => await ask.pick(question, domains, (d) => d.domain)
    if (operation === 'SETUP')
      setGlobal(
        session,
        await ask.field(
          'Please enter the default system wide maximum outbound message delivery concurrency',
          GLOBAL_CONCURRENCY,
          session.draft.get(delivery).maxConcurrency,
        ),
      )
    else if (operation === 'IMPORT')
      await importFile(session, await ask.field('Enter the name of the file to import:', text()))
    else if (operation === 'EXPORT')
      await exportFile(session, await ask.field('Enter a name for the exported file:', text()))
    else if (operation === 'NEW') {
      const domain = await ask.field('Enter the domain you wish to configure.', domainField(session))
      put(session, { domain, ...(await askEntry(session, domain, EMPTY_DESTINATION, read(session).default)) })
      session.print(`${domain} is now configured.`, NOTE)
    } else if (operation === 'EDIT') {
      const old = await chosen('Choose the domain you wish to configure.')
      put(session, { domain: old.domain, ...(await askEntry(session, old.domain, old, read(session).default)) })
      session.print(`${old.domain} is now configured.`, NOTE)
    } else if (operation === 'DELETE') remove(session, await chosen('Choose the domain you wish to remove.'))
    else if (operation === 'DEFAULT')
      setDefault(session, await askEntry(session, 'the default entry', read(session).default, read(session).default))
    else if (operation === 'LIST') await session.page(destinationTable(read(session)))
    else if (operation === 'DETAIL') {
      const names = ['DEFAULT', ...domains.map((d) => d.domain)]
      await session.page(detail(session, await ask.pick('Choose the entry to display.', names, (n) => n, 0)))
    } else if (await ask.confirm('Are you sure you want to remove all entries?', false)) clear(session)
    session.print('')
  }
}

const OPTIONS = [
  'concurrency',
  'messages',
  'recipients',
  'minutes',
  'tls',
  'dane',
  'sts',
  'tagging',
  'profile',
] as const

const parsed = <T>(field: Field<T>, text: string): T => {
  const result = field.parse(text)
  if (!result.ok) throw new UserError(result.error)
  return result.value
}

const withOptions = (old: Entry, options: Readonly<Record<string, string | undefined>>): Entry => {
  const number = (key: (typeof OPTIONS)[number], max: number, now: number | null): number | null => {
    const text = options[key]
    if (text === undefined) return now
    return text.toLowerCase() === 'default' ? null : parsed(integer(1, max), text)
  }
  const word = (text: string | undefined, now: string | null): string | null =>
    text === undefined ? now : text.toLowerCase() === 'default' ? null : text
  const flag = (text: string | undefined, now: boolean | null): boolean | null => {
    const given = word(text, now === null ? null : now ? 'yes' : 'no')
    return given === null ? null : parsed(oneOf(['yes', 'no']), given) === 'yes'
  }
  const tls = word(options['tls'], old.tls)
  const dane = word(options['dane'], old.dane)
  return {
    concurrency: number('concurrency', 1000, old.concurrency),
    messagesPerConnection: number('messages', 1000, old.messagesPerConnection),
    recipients: number('recipients', 1_000_000, old.recipients),
    recipientMinutes: number('minutes', 60, old.recipientMinutes) ?? EMPTY_DESTINATION.recipientMinutes,
    tls: tls === null ? null : parsed(oneOf(TLS_MODES), tls),
    dane: dane === null ? null : parsed(oneOf(DANE_MODES), dane),
    mtaSts: flag(options['sts'], old.mtaSts),
    bounceVerification: flag(options['tagging'], old.bounceVerification),
    bounceProfile: word(options['profile'], old.bounceProfile),
  }
}

const form = (
  word: string,
  takes: string,
  run: (session: Session, name: string, options: Readonly<Record<string, string | undefined>>) => void | Promise<void>,
  values: readonly string[] = [],
): Form => {
  const usage = `destconfig ${word}${takes === '' ? '' : ` ${takes}`}${values.map((v) => ` [--${v}=VALUE]`).join('')}`
  const count = takes === '' ? 0 : 1
  return {
    usage,
    words: [word],
    run: async (session, args) => {
      const { words, options } = readForm(usage, args, { min: count, max: count, values })
      await run(session, words[0] ?? '', options)
    },
  }
}

export default defineCommand({
  name: 'destconfig',
  summary: 'Configure how mail is handed to destinations',
  description:
    'Sets for each destination how many connections are open at the same time, how many messages one carries, how many ' +
    'recipients get mail in a span of time, whether TLS is used and what proves the host (DANE, MTA-STS), whether return ' +
    'paths are tagged, and which bounce profile holds. Domains behind the ' +
    'same smarthost (smtproutes) share its connections.',
  options: {
    '--concurrency=VALUE': 'connections at the same time',
    '--messages=VALUE': 'messages of one connection',
    '--recipients=VALUE': 'recipients in the span of time, or none',
    '--minutes=VALUE': 'the span of time',
    '--tls=VALUE': 'no, preferred, required, preferred_verify or required_verify',
    '--dane=VALUE': 'TLSA records decide about TLS: none, opportunistic or mandatory',
    '--sts=VALUE': 'the MTA-STS policy of the domain decides about TLS: yes or no',
    '--tagging=VALUE': 'bounce verification tags return paths: yes or no',
    '--profile=VALUE': 'the bounce profile',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: dialogue,
  forms: [
    form(
      'new',
      'DOMAIN',
      (session, name, options) => {
        const domain = parsed(domainField(session), name)
        put(session, { domain, ...withOptions(EMPTY_DESTINATION, options) })
        session.print(`${domain} is now configured.`)
      },
      OPTIONS,
    ),
    form(
      'edit',
      'DOMAIN',
      (session, name, options) => {
        const old = find(session, name)
        put(session, { domain: old.domain, ...withOptions(old, options) })
        session.print(`${old.domain} is now configured.`)
      },
      OPTIONS,
    ),
    form(
      'default',
      '',
      (session, _name, options) => setDefault(session, withOptions(read(session).default, options)),
      OPTIONS,
    ),
    form('delete', 'DOMAIN', (session, name) => remove(session, find(session, name))),
    form('list', '', (session) => session.page(destinationTable(read(session)))),
    form('detail', 'DOMAIN', (session, name) => session.page(detail(session, name))),
    form('clear', '', clear),
    form('import', 'FILE', importFile),
    form('export', 'FILE', exportFile),
    form('setup', 'CONCURRENCY', (session, figure) => setGlobal(session, parsed(GLOBAL_CONCURRENCY, figure))),
  ],
})
