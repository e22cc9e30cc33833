import { isIP } from 'node:net'
import { callAhead, newCallAheadProfile } from '../../../config/sections/call-ahead.ts'
import type { CallAheadProfile } from '../../../config/sections/call-ahead.ts'
import { listeners } from '../../../config/sections/listeners.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { emailAddress, integer, isHostname, list, oneOf } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable, printableCut } from '../../../core/text.ts'
import { parseRouteHost } from '../../../mail/delivery/route.ts'
import { OPERATORS, STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { listenerName } from '../../listeners.ts'
import { readForm, readValue, wordForm } from '../../options.ts'

const all = ({ draft }: Session): readonly CallAheadProfile[] => draft.get(callAhead)

const find = (session: Session, name: string): CallAheadProfile => {
  const found = all(session).find((p) => p.name === name)
  if (!found) throw new UserError(`There is no call-ahead profile '${printableCut(name, 64)}'.`)
  return found
}

const assertFree = (session: Session, name: string): void => {
  if (all(session).some((p) => p.name === name)) throw new UserError(`There is a call-ahead profile '${name}' already.`)
}

const put = (session: Session, profile: CallAheadProfile): void => {
  const known = all(session).some((p) => p.name === profile.name)
  const next = known ? all(session).map((p) => (p.name === profile.name ? profile : p)) : [...all(session), profile]
  session.draft.set(callAhead, next)
}

const remove = (session: Session, { name }: CallAheadProfile): void => {
  const user = session.draft
    .get(listeners)
    .find((l) => l.recipientValidation === 'callahead' && l.callAheadProfile === name)
  if (user) throw new UserError(`Listener ${user.name} uses the call-ahead profile '${name}'.`)
  session.draft.set(
    callAhead,
    all(session).filter((p) => p.name !== name),
  )
}

const host: Field<string> = {
  parse: (typed) => {
    const text = typed.trim()
    const { host: name, port } = parseRouteHost(text)
    return (isIP(name) !== 0 || isHostname(name)) && port >= 1 && port <= 65_535
      ? ok(text)
      : fail('The value must be a host, with a port if need be. (Ex: mail.example.com, [10.1.1.1]:25)')
  },
  format: (text) => text,
}
const hosts = list(host)
const sender: Field<string> = {
  parse: (typed) => (typed.trim() === '<>' ? ok('') : emailAddress.parse(typed.trim().replace(/^<(.*)>$/, '$1'))),
  format: (s) => `<${s}>`,
}
const ACTIONS = ['accept', 'reject'] as const
const seconds = integer(1, 300)
const connections = integer(1, 1000)
const queries = integer(1, 100_000)
const cacheSize = integer(100, 1_000_000)
const ttl = integer(1, 86_400)

const table = (session: Session): readonly string[] =>
  all(session).length === 0
    ? ['No call-ahead profiles are configured.']
    : ['Currently configured call-ahead profiles:', ...all(session).map((p, i) => `${i + 1}. ${p.name} (${where(p)})`)]

const where = (p: CallAheadProfile): string => (p.hosts.length === 0 ? 'Delivery Host' : p.hosts.join(', '))

const advanced = (p: CallAheadProfile): readonly string[] => [
  `MAIL FROM Address: <${p.mailFrom}>`,
  `Timeout Value: ${p.timeoutSeconds}`,
  `Validation Failure Action: ${p.validationFailure === 'accept' ? 'ACCEPT' : 'REJECT with code 451'}`,
  `Temporary Failure Action: ${p.temporaryFailure === 'accept' ? 'ACCEPT' : 'REJECT with same code'}`,
  `Maximum number of connections: ${p.maxConnections}`,
  `Maximum number of validation queries: ${p.maxQueries}`,
  `Cache size: ${p.cacheSize}`,
  `Cache TTL: ${p.cacheSeconds}`,
  `Cache TTL of unknown recipients: ${p.negativeCacheSeconds}`,
]

const askAdvanced = async ({ ask, print }: Session, p: CallAheadProfile): Promise<CallAheadProfile> => {
  print('Advanced Settings:', ...advanced(p))
  if (!(await ask.confirm('Do you want to change advanced settings?', false))) return p
  const action = async (question: string, refuse: string, now: 'accept' | 'reject') =>
    await ask.pick(question, ACTIONS, (a) => ({ accept: 'Accept', reject: refuse })[a], ACTIONS.indexOf(now))
  return {
    ...p,
    mailFrom: await ask.field('Enter the MAIL FROM address.', sender, p.mailFrom),
    timeoutSeconds: await ask.field('Enter the number of seconds for a validation.', seconds, p.timeoutSeconds),
    validationFailure: await action(
      'What shall be done when no host can be asked?',
      'Reject with code 451',
      p.validationFailure,
    ),
    temporaryFailure: await action(
      'What shall be done when the host refuses for now (4xx)?',
      'Reject with same code',
      p.temporaryFailure,
    ),
    maxConnections: await ask.field('Enter the maximum number of connections.', connections, p.maxConnections),
    maxQueries: await ask.field('Enter the maximum number of validation queries.', queries, p.maxQueries),
    cacheSize: await ask.field('Enter the number of answers in the cache.', cacheSize, p.cacheSize),
    cacheSeconds: await ask.field('Enter the cache TTL in seconds.', ttl, p.cacheSeconds),
    negativeCacheSeconds: await ask.field(
      'Enter the cache TTL of unknown recipients in seconds.',
      ttl,
      p.negativeCacheSeconds,
    ),
  }
}

const TYPES = ['Delivery Host', 'Static Call-Ahead Servers'] as const

const askHosts = async ({ ask }: Session, p: CallAheadProfile): Promise<string[]> => {
  const question = 'Select the type of profile you want to create:'
  const type = await ask.pick(question, TYPES, (t) => t, p.hosts.length === 0 ? 0 : 1)
  if (type === 'Delivery Host') return []
  const initial = p.hosts.length === 0 ? undefined : p.hosts
  return [...(await ask.field('Enter the call-ahead servers, separated by commas. (Ex: 10.1.1.1:25)', hosts, initial))]
}

const create = async (session: Session): Promise<void> => {
  const chosen = await askHosts(session, newCallAheadProfile(''))
  const name = await session.ask.field('Enter a name for the profile.', listenerName)
  assertFree(session, name)
  put(session, await askAdvanced(session, { ...newCallAheadProfile(name), hosts: chosen }))
}

/** What acts at once is not for those who only stage changes. */
const refuseStagers = ({ user }: Session): void => {
  if (!OPERATORS.includes(user.role)) throw new UserError('Only an administrator or an operator may do this.')
}

const test = async (session: Session, profile: CallAheadProfile, recipient: string): Promise<void> => {
  refuseStagers(session)
  const { appliance, print } = session
  const answer = await appliance.callAhead.test(profile, recipient)
  if (answer.kind === 'failed') print(`No answer: ${printable(answer.reason)}`, '')
  else if (answer.kind === 'valid') print(`${recipient} is a recipient.`, '')
  else {
    const what = answer.kind === 'invalid' ? 'is not a recipient' : 'is refused for now'
    print(`${recipient} ${what} (${answer.code} ${answer.status}).`, '')
  }
}

const flush = (session: Session, name?: string): void => {
  refuseStagers(session)
  const { appliance, print } = session
  const n = appliance.callAhead.flush(name)
  print(`The call-ahead cache has been cleared (${n} ${n === 1 ? 'answer' : 'answers'}).`, '')
}

const VALUES = [
  'hosts',
  'from',
  'timeout',
  'failure',
  'temporary',
  'connections',
  'queries',
  'cache_size',
  'cache_ttl',
  'negative_ttl',
]
const SETTINGS =
  '[--hosts=delivery|HOST[:PORT],...] [--from=ADDRESS|<>] [--timeout=N] [--failure=accept|reject] [--temporary=accept|reject] [--connections=N] [--queries=N] [--cache_size=N] [--cache_ttl=N] [--negative_ttl=N]'
const USAGE = {
  new: `callaheadconfig new NAME ${SETTINGS}`,
  edit: `callaheadconfig edit NAME ${SETTINGS}`,
  delete: 'callaheadconfig delete NAME',
  print: 'callaheadconfig print [NAME]',
  test: 'callaheadconfig test NAME ADDRESS',
  flushcache: 'callaheadconfig flushcache [NAME]',
} as const

type Options = Readonly<Record<string, string | undefined>>

const changed = (p: CallAheadProfile, o: Options): CallAheadProfile => {
  const value = <T>(name: string, field: Field<T>, now: T): T =>
    o[name] === undefined ? now : readValue(field, o[name])
  return {
    name: p.name,
    hosts: o['hosts']?.toLowerCase() === 'delivery' ? [] : [...value('hosts', hosts, p.hosts)],
    mailFrom: value('from', sender, p.mailFrom),
    timeoutSeconds: value('timeout', seconds, p.timeoutSeconds),
    validationFailure: value('failure', oneOf(ACTIONS), p.validationFailure),
    temporaryFailure: value('temporary', oneOf(ACTIONS), p.temporaryFailure),
    maxConnections: value('connections', connections, p.maxConnections),
    maxQueries: value('queries', queries, p.maxQueries),
    cacheSize: value('cache_size', cacheSize, p.cacheSize),
    cacheSeconds: value('cache_ttl', ttl, p.cacheSeconds),
    negativeCacheSeconds: value('negative_ttl', ttl, p.negativeCacheSeconds),
  }
}

const detail = (p: CallAheadProfile): readonly string[] => [
  `Name: ${p.name}`,
  `Call-Ahead Servers: ${where(p)}`,
  ...advanced(p),
]

export default defineCommand({
  name: 'callaheadconfig',
  summary: 'Configure SMTP call-ahead recipient validation',
  description:
    'Profiles that ask the next hop (MAIL FROM, RCPT TO, no message) whether a recipient is one, before the recipient is taken. A listener uses a profile when listenerconfig, EDIT, SETUP says so; entries of its Recipient Access Table may pass it over (bypass_ca). Answers are kept for a while. TEST and FLUSHCACHE act at once; they are for administrators and operators.',
  options: {
    '--hosts=delivery|HOST[:PORT],...': 'whom to ask: where mail for the domain is delivered, or these servers',
    '--from=ADDRESS|<>': 'the sender of the question',
    '--timeout=N': 'seconds for a whole validation',
    '--failure=accept|reject': 'what to do when nobody answers; reject says 451',
    '--temporary=accept|reject': 'what to do when the host refuses for now',
    '--connections=N': 'connections at the same time',
    '--queries=N': 'validations that run or wait at the same time',
    '--cache_size=N': 'answers that are kept',
    '--cache_ttl=N': 'seconds that an answer is kept',
    '--negative_ttl=N': 'seconds that the answer about an unknown recipient is kept',
  },
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      print(...table(session))
      const rest = {
        EDIT: 'Modify a profile.',
        PRINT: 'Display a profile.',
        DELETE: 'Remove a profile.',
        TEST: 'Ask for a recipient.',
        FLUSHCACHE: 'Forget the answers that are kept.',
      } as const
      const operation = await ask.choose({ NEW: 'Create a new profile.', ...(all(session).length > 0 ? rest : {}) })
      if (operation === null) return
      if (operation === 'NEW') {
        await create(session)
        continue
      }
      if (operation === 'FLUSHCACHE') {
        flush(session)
        continue
      }
      const profile = await ask.pick('Choose the profile:', all(session), (p) => p.name)
      if (operation === 'PRINT') print(...detail(profile), '')
      else if (operation === 'DELETE') remove(session, profile)
      else if (operation === 'EDIT') {
        const chosen = await askHosts(session, profile)
        put(session, await askAdvanced(session, { ...profile, hosts: chosen }))
      } else await test(session, profile, await ask.field('Enter the address of the recipient.', emailAddress))
    }
  },
  forms: [
    {
      usage: USAGE.new,
      words: ['new'],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE.new, args, { min: 1, max: 1, values: VALUES })
        const name = readValue(listenerName, words[0] ?? '')
        assertFree(session, name)
        put(session, changed(newCallAheadProfile(name), options))
      },
    },
    {
      usage: USAGE.edit,
      words: ['edit'],
      run: async (session, args) => {
        const { words, options } = readForm(USAGE.edit, args, { min: 1, max: 1, values: VALUES })
        put(session, changed(find(session, words[0] ?? ''), options))
      },
    },
    wordForm(USAGE.delete, ['delete'], 1, (session, [name = '']) => remove(session, find(session, name))),
    wordForm(USAGE.print, ['print'], [0, 1], (session, [name]) =>
      session.page(name === undefined ? table(session) : detail(find(session, name))),
    ),
    wordForm(USAGE.test, ['test'], 2, (session, [name = '', address = '']) =>
      test(session, find(session, name), readValue(emailAddress, address)),
    ),
    wordForm(USAGE.flushcache, ['flushcache'], [0, 1], (session, [name]) =>
      flush(session, name === undefined ? undefined : find(session, name).name),
    ),
  ],
})
