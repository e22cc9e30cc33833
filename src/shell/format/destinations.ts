import { DANE_MODES } from '../../config/sections/destinations.ts'
import type { Destination, destinations, TlsMode } from '../../config/sections/destinations.ts'
import { UserError } from '../../core/errors.ts'
import { integer, isHostname, oneOf } from '../../core/schema.ts'
import { printableCut } from '../../core/text.ts'
import { readValue } from '../options.ts'

/* Destination controls as text, in AsyncOS's form: `[DEFAULT]` and `[domain]`, then `name = value`. What is not said is as the default. */

type Settings = (typeof destinations)['defaults']
type Entry = Omit<Destination, 'domain'>

const TLS: Readonly<Record<TlsMode, string>> = {
  no: 'off',
  preferred: 'on',
  required: 'require',
  preferred_verify: 'on_verify',
  required_verify: 'require_verify',
}
const MAX_ENTRIES = 10_000

const number = (text: string, max: number): number => {
  return readValue(integer(1, max), text)
}

const tlsMode = (text: string): TlsMode => {
  const mode = (Object.keys(TLS) as TlsMode[]).find((m) => TLS[m] === text.toLowerCase())
  if (mode === undefined) throw new UserError(`The value must be one of: ${Object.values(TLS).join(', ')}.`)
  return mode
}

const daneMode = (text: string): Entry['dane'] => {
  const mode = oneOf(DANE_MODES).parse(text.toLowerCase())
  if (!mode.ok) throw new UserError(mode.error)
  return mode.value
}

/** AsyncOS writes 0 and 1. */
const flag = (text: string): boolean => {
  if (text !== '0' && text !== '1') throw new UserError('The value must be 0 or 1.')
  return text === '1'
}
const flagWord = (value: boolean | null): number | null => (value === null ? null : Number(value))

const PARAMETERS: Readonly<Record<string, (text: string) => Partial<Entry>>> = {
  max_host_concurrency: (text) => ({ concurrency: number(text, 1000) }),
  max_messages_per_connection: (text) => ({ messagesPerConnection: number(text, 1000) }),
  recipient_minutes: (text) => ({ recipientMinutes: number(text, 60) }),
  // 0 is AsyncOS's word for no limit.
  recipient_limit: (text) => ({ recipients: text === '0' ? null : number(text, 1_000_000) }),
  table_tls: (text) => ({ tls: tlsMode(text) }),
  table_dane: (text) => ({ dane: daneMode(text) }),
  mta_sts: (text) => ({ mtaSts: flag(text) }),
  bounce_validation: (text) => ({ bounceVerification: flag(text) }),
  bounce_profile: (text) => ({ bounceProfile: text.toLowerCase() === 'default' ? null : text }),
}

const block = (name: string, e: Entry): readonly string[] => {
  const line = (key: string, value: number | string | null): readonly string[] =>
    value === null ? [] : [`${key} = ${value}`]
  return [
    `[${name}]`,
    ...line('max_host_concurrency', e.concurrency),
    ...line('max_messages_per_connection', e.messagesPerConnection),
    ...line('recipient_minutes', e.recipients === null ? null : e.recipientMinutes),
    ...line('recipient_limit', e.recipients),
    ...line('table_tls', e.tls === null ? null : TLS[e.tls]),
    ...line('table_dane', e.dane),
    ...line('mta_sts', flagWord(e.mtaSts)),
    ...line('bounce_validation', flagWord(e.bounceVerification)),
    ...line('bounce_profile', e.bounceProfile),
  ]
}

/** What EXPORT writes. */
export const printDestinations = ({ default: d, domains }: Settings): readonly string[] => [
  ...block('DEFAULT', d),
  ...domains.flatMap((e) => ['', ...block(e.domain, e)]),
]

const sectionName = (text: string, taken: ReadonlyMap<string, unknown>): string => {
  const name = text.toUpperCase() === 'DEFAULT' ? 'DEFAULT' : text.toLowerCase()
  if (name !== 'DEFAULT' && !isHostname(name.replace(/^\./, '')))
    throw new UserError('The name in brackets must be DEFAULT, a domain or a partial domain.')
  if (taken.has(name)) throw new UserError(`There is an entry for ${name} above.`)
  if (taken.size > MAX_ENTRIES) throw new UserError(`There are more than ${MAX_ENTRIES} entries.`)
  return name
}

/** One line below a name in brackets. */
const setting = (line: string, given: ReadonlySet<string>, profiles: readonly string[]): [string, Partial<Entry>] => {
  const [, key = '', value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
  if (key === '') throw new UserError('The line must be "[domain]" or "name = value".')
  const read = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined
  if (read === undefined)
    throw new UserError(
      `There is no parameter ${printableCut(key, 40)}; there are: ${Object.keys(PARAMETERS).join(', ')}.`,
    )
  if (given.has(key)) throw new UserError(`${key} is given twice.`)
  const part = read(value)
  if (typeof part.bounceProfile === 'string' && !profiles.includes(part.bounceProfile))
    throw new UserError(`There is no bounce profile '${printableCut(part.bounceProfile, 64)}'.`)
  return [key, part]
}

/**
 * Reads what EXPORT writes. `base` has the default entry where the file has none, `initial` what a `[DEFAULT]` leaves out.
 * @throws UserError with the file and the line.
 */
export const parseDestinations = (
  file: string,
  content: string,
  known: {
    readonly base: Settings['default']
    readonly initial: Settings['default']
    readonly profiles: readonly string[]
  },
): Settings => {
  const entries = new Map<string, Partial<Entry>>()
  const given = new Set<string>()
  let name: string | null = null
  for (const [i, raw] of content.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    try {
      const bracketed = /^\[\s*(.*?)\s*\]$/.exec(line)?.[1]
      if (bracketed !== undefined) {
        name = sectionName(bracketed, entries)
        entries.set(name, {})
        given.clear()
        continue
      }
      if (name === null) throw new UserError('The first line must be "[DEFAULT]" or "[domain]".')
      const [key, part] = setting(line, given, known.profiles)
      given.add(key)
      entries.set(name, { ...entries.get(name), ...part })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new UserError(`${file}, line ${i + 1}: ${error.message} Nothing was imported.`)
    }
  }
  const fallback = entries.get('DEFAULT')
  entries.delete('DEFAULT')
  return {
    default: fallback === undefined ? known.base : withDefault(known.initial, fallback),
    domains: [...entries].map(([domain, e]) => ({ domain, ...EMPTY_DESTINATION, ...e })),
  }
}

const withDefault = (initial: Settings['default'], e: Partial<Entry>): Settings['default'] => ({
  concurrency: e.concurrency ?? initial.concurrency,
  messagesPerConnection: e.messagesPerConnection ?? initial.messagesPerConnection,
  recipients: e.recipients ?? null,
  recipientMinutes: e.recipientMinutes ?? initial.recipientMinutes,
  tls: e.tls ?? initial.tls,
  dane: e.dane ?? initial.dane,
  mtaSts: e.mtaSts ?? initial.mtaSts,
  bounceVerification: e.bounceVerification ?? null,
  bounceProfile: e.bounceProfile ?? null,
})

/** Everything as the default entry says. */
export const EMPTY_DESTINATION: Entry = {
  concurrency: null,
  messagesPerConnection: null,
  recipients: null,
  recipientMinutes: 60,
  tls: null,
  dane: null,
  mtaSts: null,
  bounceVerification: null,
  bounceProfile: null,
}
