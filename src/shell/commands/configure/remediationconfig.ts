import { IMAP_SECURITY, imapMailboxes } from '../../../config/sections/imap-mailboxes.ts'
import { MAILBOX_KINDS, remediation } from '../../../config/sections/remediation.ts'
import { fail, ok } from '../../../core/result.ts'
import { UserError } from '../../../core/errors.ts'
import { integer, text, yesNo } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { misused, readForm, readValue, wordForm } from '../../options.ts'
import { domainField, profileName, settingsLines } from '../../format/remediation-settings.ts'
import type { Remediation } from '../../format/remediation-settings.ts'

const many = integer(1, 1_000_000)
const percent = integer(0, 100)
const holdDays = integer(1, 3650)
const attempts = integer(1, 100)

const now = (session: Session): Remediation => session.draft.get(remediation)
const stage = (session: Session, change: Partial<Remediation>): void =>
  session.draft.set(remediation, { ...now(session), ...change })

const known = (session: Session, name: string): Remediation['profiles'][number] => {
  const { profiles } = now(session)
  const found = profiles.find((p) => p.name.toLowerCase() === name.toLowerCase())
  if (found) return found
  const names = profiles.map((p) => p.name).join(', ')
  throw new UserError(`There is no mailbox profile '${printable(name)}'. There are: ${names === '' ? 'none' : names}.`)
}

const addProfile = (session: Session, name: string, kind: string): void => {
  const read = readValue(profileName(now(session).profiles.map((p) => p.name)), name)
  const found = MAILBOX_KINDS.find((k) => k === kind.toLowerCase())
  if (!found)
    throw new UserError(`'${printable(kind)}' is no kind of mailbox. Use one of: ${MAILBOX_KINDS.join(', ')}.`)
  stage(session, { profiles: [...now(session).profiles, { name: read, kind: found }] })
  session.print(`Mailbox profile ${read} added.`)
}

const removeProfile = (session: Session, name: string): void => {
  const profile = known(session, name)
  const { profiles, domainMap } = now(session)
  const { draft } = session
  const mapped = domainMap.filter((m) => m.profile === profile.name).map((m) => m.domain)
  if (mapped.length > 0)
    throw new UserError(`Mailbox profile ${profile.name} is mapped to: ${mapped.join(', ')}. Remove the mapping first.`)
  stage(session, { profiles: profiles.filter((p) => p !== profile) })
  const servers = draft.get(imapMailboxes)
  if (servers.some((s) => s.profile === profile.name))
    draft.set(
      imapMailboxes,
      servers.filter((s) => s.profile !== profile.name),
    )
  session.print(`Mailbox profile ${profile.name} deleted.`)
}

const map = (session: Session, domain: string, profile: string): void => {
  const read = readValue(domainField, domain)
  const { name } = known(session, profile)
  const others = now(session).domainMap.filter((m) => m.domain.toLowerCase() !== read.toLowerCase())
  stage(session, { domainMap: [...others, { domain: read, profile: name }] })
  session.print(`Mailboxes of ${read === 'ALL' ? 'all other domains' : read} are in profile ${name}.`)
}

const unmap = (session: Session, domain: string): void => {
  const { domainMap } = now(session)
  const left = domainMap.filter((m) => m.domain.toLowerCase() !== domain.toLowerCase())
  if (left.length === domainMap.length) throw new UserError(`The domain '${printable(domain)}' is not mapped.`)
  stage(session, { domainMap: left })
  session.print(`The domain ${printable(domain)} is mapped to no profile any more.`)
}

const test = async (session: Session, name: string, mailbox: string): Promise<void> => {
  const { name: profile } = known(session, name)
  if (!session.running.get(remediation).profiles.some((p) => p.name === profile))
    throw new UserError(`Mailbox profile ${profile} is not running yet. Enter "commit" first.`)
  const interrupt = session.terminal.untilInterrupt()
  try {
    const { ok, detail } = await session.appliance.remediation.probe(profile, mailbox, interrupt.signal)
    if (!ok) throw new UserError(`Profile ${profile}, mailbox ${printable(mailbox)}: ${printable(detail)}`)
    session.print(`Profile ${profile}, mailbox ${printable(mailbox)}: ${printable(detail)}`)
  } finally {
    interrupt.done()
  }
}

const passphrase: Field<string> = {
  parse: (word) =>
    word === '' || word.length > 256 ? fail('The passphrase must have 1 to 256 characters.') : ok(word),
  format: () => '',
}

const PORTS: Readonly<Record<string, number>> = { tls: 993, starttls: 143, none: 143 }

/** Where the mailboxes of an IMAP profile are; the passphrase is asked for and never shown. */
const setServer = async (
  session: Session,
  name: string,
  address: string,
  login: string,
  security: string,
): Promise<void> => {
  const profile = known(session, name)
  if (profile.kind !== 'imap') throw new UserError(`Mailbox profile ${profile.name} is not of the kind imap.`)
  const secured = IMAP_SECURITY.find((s) => s === security.toLowerCase())
  if (!secured) throw new UserError(`'${printable(security)}' is none of: ${IMAP_SECURITY.join(', ')}.`)
  const [, host = '', port] = /^(\[[0-9a-fA-F:]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(address) ?? []
  if (host === '' || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535)
    throw new UserError(`'${printable(address)}' is no host, or host and port (Ex: imap.example.com:993).`)
  if (!/\{(address|local)\}/.test(login))
    throw new UserError(
      'The login must hold {address} or {local}, which stand for the mailbox (Ex: {address}*gateway).',
    )
  const secret = await session.ask.field('Enter the passphrase:', passphrase, undefined, { bare: true, secret: true })
  const others = session.draft.get(imapMailboxes).filter((s) => s.profile !== profile.name)
  const server = {
    profile: profile.name,
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? PORTS[secured]),
    security: secured,
    login,
    passphrase: secret,
  }
  session.draft.set(imapMailboxes, [...others, server])
  session.print(`Mailboxes of profile ${profile.name} are on ${server.host}:${server.port} (${secured}).`)
  if (secured === 'none') session.print('Warning: the passphrase and the messages are sent in clear text.')
}

/** The value of an option, when it was given. */
const given = <T>(field: Field<T>, word: string | undefined, usage: string): T | undefined => {
  if (word === undefined) return undefined
  const read = field.parse(word)
  if (!read.ok) throw misused(read.error, usage)
  return read.value
}

const form = (
  words: readonly string[],
  of: string,
  count: number,
  act: (s: Session, w: readonly string[]) => unknown,
): Form => {
  return wordForm(`remediationconfig ${words.join(' ')}${of === '' ? '' : ` ${of}`}`, words, count, act)
}

const IMAP = 'remediationconfig imap PROFILE HOST[:PORT] LOGIN [--security=tls|starttls|none]'
const GUARD = 'remediationconfig guard [--messages=N] [--mailboxes=N] [--percent=N]'
const SETUP = 'remediationconfig setup [--days=N] [--attempts=N] [--subject=yes|no]'

const askServer = async (session: Session, name: string): Promise<void> => {
  const { ask } = session
  const security = await ask.pick('Choose how the connection is secured:', IMAP_SECURITY, (s) => s, 0)
  const address = await ask.field('Enter the IMAP server, with its port if that is not the usual one:', text())
  const login = await ask.field('Enter the login; {address} and {local} stand for the mailbox:', text(), '{address}')
  await setServer(session, name, address, login, security)
}

const askProfiles = async (session: Session): Promise<void> => {
  const { ask } = session
  const { profiles } = now(session)
  const operation = await ask.choose({
    NEW: 'Add a mailbox profile.',
    ...(profiles.some((p) => p.kind === 'imap') ? { IMAP: 'Set the IMAP server of a profile.' } : {}),
    ...(profiles.length > 0 ? { DELETE: 'Remove a mailbox profile.' } : {}),
  })
  if (operation === 'NEW') {
    const name = await ask.field('Enter a name for the mailbox profile:', profileName(profiles.map((p) => p.name)))
    const kind = await ask.pick('Choose the kind of mailboxes:', MAILBOX_KINDS, (k) => k, 0)
    addProfile(session, name, kind)
    if (kind === 'imap') await askServer(session, name)
  } else if (operation === 'IMAP') {
    const imap = profiles.filter((p) => p.kind === 'imap')
    await askServer(session, (await ask.pick('Choose the mailbox profile:', imap, (p) => p.name, 0)).name)
  } else if (operation === 'DELETE')
    removeProfile(session, (await ask.pick('Choose the mailbox profile:', profiles, (p) => p.name, 0)).name)
}

const askMap = async (session: Session): Promise<void> => {
  const { ask } = session
  const { profiles, domainMap } = now(session)
  const operation = await ask.choose({
    NEW: 'Map a domain of recipients to a mailbox profile.',
    ...(domainMap.length > 0 ? { DELETE: 'Remove a mapping.' } : {}),
  })
  if (operation === 'NEW') {
    const domain = await ask.field('Enter the domain, or ALL for every domain that is not mapped:', domainField)
    map(session, domain, (await ask.pick('Choose the mailbox profile:', profiles, (p) => p.name, 0)).name)
  } else if (operation === 'DELETE')
    unmap(session, (await ask.pick('Choose the mapping:', domainMap, (m) => `${m.domain} -> ${m.profile}`, 0)).domain)
}

const askGuard = async (session: Session): Promise<void> => {
  const { ask } = session
  const value = now(session)
  stage(session, {
    guardMessages: await ask.field(
      'How many messages of one verdict are remediated without approval?',
      many,
      value.guardMessages,
    ),
    guardMailboxes: await ask.field('How many mailboxes in one hour?', many, value.guardMailboxes),
    guardMailboxPercent: await ask.field(
      'Or, if that is more, how many percent of the mailboxes known?',
      percent,
      value.guardMailboxPercent,
    ),
  })
}

const askSetup = async (session: Session): Promise<void> => {
  const { ask } = session
  const value = now(session)
  stage(session, {
    holdDays: await ask.field('How many days are deleted messages kept for undo?', holdDays, value.holdDays),
    maxAttempts: await ask.field('How often is a mailbox tried?', attempts, value.maxAttempts),
    sameSubject: await ask.confirm('Remediate all messages with the same subject?', value.sameSubject),
  })
}

export default defineCommand({
  name: 'remediationconfig',
  summary: 'Configure mailbox profiles, domain mapping and limits of remediation',
  description:
    'Where the mailboxes are (profiles), which domains of recipients belong to which profile, from how many messages or ' +
    'mailboxes on remediation waits for approval, and how long deleted messages are kept. AsyncOS has this in its web ' +
    'interface only (Account Settings). What is done with a message is chosen in websecurityconfig.',
  options: {
    '--security=tls|starttls|none': 'how the connection to the IMAP server is secured',
    '--messages=N': 'messages of one verdict that are remediated without approval',
    '--mailboxes=N': 'mailboxes in one hour that are remediated without approval',
    '--percent=N': 'or this share of the mailboxes known, if that is more',
    '--days=N': 'how long deleted messages are kept for undo',
    '--attempts=N': 'how often a mailbox is tried',
    '--subject=yes|no': 'remediate all messages with the same subject',
  },
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  forms: [
    form(['print'], '', 0, (s) => s.print(...settingsLines(now(s)))),
    form(['profile', 'new'], 'NAME KIND', 2, (s, [name = '', kind = '']) => addProfile(s, name, kind)),
    form(['profile', 'delete'], 'NAME', 1, (s, [name = '']) => removeProfile(s, name)),
    {
      usage: IMAP,
      words: ['imap'],
      run: async (session, args) => {
        const { words, options } = readForm(IMAP, args, { min: 3, max: 3, values: ['security'] })
        const [name = '', address = '', login = ''] = words
        await setServer(session, name, address, login, options['security'] ?? 'tls')
      },
    },
    form(['map', 'new'], 'DOMAIN|ALL PROFILE', 2, (s, [domain = '', profile = '']) => map(s, domain, profile)),
    form(['map', 'delete'], 'DOMAIN|ALL', 1, (s, [domain = '']) => unmap(s, domain)),
    {
      usage: GUARD,
      words: ['guard'],
      run: async (session, args) => {
        const { options } = readForm(GUARD, args, { min: 0, max: 0, values: ['messages', 'mailboxes', 'percent'] })
        const old = now(session)
        stage(session, {
          guardMessages: given(many, options['messages'], GUARD) ?? old.guardMessages,
          guardMailboxes: given(many, options['mailboxes'], GUARD) ?? old.guardMailboxes,
          guardMailboxPercent: given(percent, options['percent'], GUARD) ?? old.guardMailboxPercent,
        })
        session.print(...settingsLines(now(session)))
      },
    },
    {
      usage: SETUP,
      words: ['setup'],
      run: async (session, args) => {
        const { options } = readForm(SETUP, args, { min: 0, max: 0, values: ['days', 'attempts', 'subject'] })
        const old = now(session)
        stage(session, {
          holdDays: given(holdDays, options['days'], SETUP) ?? old.holdDays,
          maxAttempts: given(attempts, options['attempts'], SETUP) ?? old.maxAttempts,
          sameSubject: given(yesNo, options['subject'], SETUP) ?? old.sameSubject,
        })
        session.print(...settingsLines(now(session)))
      },
    },
    form(['test'], 'PROFILE MAILBOX', 2, (s, [name = '', mailbox = '']) => test(s, name, mailbox)),
  ],
  run: async (session) => {
    for (;;) {
      session.print(...settingsLines(now(session)))
      const operation = await session.ask.choose({
        PROFILES: 'Add or remove mailbox profiles.',
        MAP: 'Map domains of recipients to mailbox profiles.',
        GUARD: 'Set from how many messages or mailboxes on remediation waits for approval.',
        SETUP: 'Set how long deleted messages are kept, how often a mailbox is tried, and the same-subject rule.',
        TEST: 'Test a mailbox profile with one mailbox.',
      })
      if (operation === null) return
      if (operation === 'PROFILES') await askProfiles(session)
      else if (operation === 'MAP') await askMap(session)
      else if (operation === 'GUARD') await askGuard(session)
      else if (operation === 'SETUP') await askSetup(session)
      else {
        const profile = await session.ask.pick('Choose the mailbox profile:', now(session).profiles, (p) => p.name, 0)
        await test(session, profile.name, await session.ask.field('Enter the address of a mailbox:', text()))
      }
    }
  },
})
