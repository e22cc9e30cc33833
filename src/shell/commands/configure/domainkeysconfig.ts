import { dkimSigning } from '../../../config/sections/dkim-signing.ts'
import type { SigningKey, SigningProfile } from '../../../config/sections/dkim-signing.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { hostname, integer, list } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { dnsTextRecord, newSigningKey, readSigningKey } from '../../../core/signing-keys.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

type Settings = (typeof dkimSigning)['defaults']

const read = ({ draft }: Session): Settings => draft.get(dkimSigning)
const write = (session: Session, change: Partial<Settings>): void =>
  session.draft.set(dkimSigning, { ...read(session), ...change })

const newName = (taken: readonly { readonly name: string }[], noun: string): Field<string> => ({
  parse: (text) => {
    const name = text.trim()
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name))
      return fail('The value must have only letters, digits, dots, hyphens and underscores.')
    return taken.some((t) => t.name === name) ? fail(`The ${noun} '${name}' exists already.`) : ok(name)
  },
  format: (name) => name,
})

const user: Field<string> = {
  parse: (text) => {
    const name = text.trim().toLowerCase()
    const domain = name.slice(name.lastIndexOf('@') + 1).replace(/^\./, '')
    return hostname.parse(domain).ok
      ? ok(name)
      : fail('The value must be an address, a domain or a partial domain. (Ex: user@example.com, .example.com)')
  },
  format: (name) => name,
}

const find = <T extends { readonly name: string }>(items: readonly T[], name: string, noun: string): T => {
  const found = items.find((i) => i.name === name)
  if (!found) throw new UserError(`There is no ${noun} '${printableCut(name, 64)}'.`)
  return found
}

const overview = (session: Session): readonly string[] => {
  const { keys, profiles, signGenerated } = read(session)
  return [
    `Number of DKIM Signing Profiles: ${profiles.length}`,
    `Number of Signing Keys: ${keys.length}`,
    `Sign System-Generated Messages: ${signGenerated ? 'Yes' : 'No'}`,
  ]
}

const addKey = (session: Session, name: string, key: Omit<SigningKey, 'name'>): void => {
  write(session, { keys: [...read(session).keys, { name, ...key }] })
  session.print(`The signing key ${name} has been added.`)
}

const create = (session: Session, name: string, type: SigningKey['type']): void =>
  addKey(session, name, { type, privateKey: newSigningKey(type) })

const removeKey = (session: Session, key: SigningKey): void => {
  write(session, { keys: read(session).keys.filter((k) => k !== key) })
  session.print(`The signing key ${key.name} has been removed.`)
}

const KEY_TYPES = ['rsa', 'ed25519'] as const
const KEY_WORDS = { rsa: 'RSA, 2048 bits', ed25519: 'Ed25519' } as const

const keysMenu = async (session: Session): Promise<void> => {
  const { ask } = session
  for (;;) {
    const { keys } = read(session)
    session.print(`Number of Signing Keys: ${keys.length}`)
    const some = keys.length > 0
    const operation = await ask.choose({
      NEW: 'Create a new signing key.',
      ...(some ? { DELETE: 'Delete a signing key.', LIST: 'List signing keys.' } : {}),
    })
    if (operation === null) return
    if (operation === 'NEW') {
      const name = await ask.field('Enter a name for this signing key:', newName(keys, 'signing key'))
      const type = await ask.pick(
        'Choose the kind of key:',
        ['rsa', 'ed25519', 'paste'] as const,
        (t) => (t === 'paste' ? 'Paste a private key' : KEY_WORDS[t]),
        0,
      )
      if (type === 'paste') {
        const pem = await ask.paste("Paste the private key in PEM, then '.' on a line of its own.")
        addKey(session, name, readSigningKey(pem))
      } else create(session, name, type)
    } else if (operation === 'DELETE')
      removeKey(session, await ask.pick('Choose the signing key:', keys, (k) => k.name))
    else session.print(...keys.map((k) => `${k.name} (${KEY_WORDS[k.type].replace(', 2048 bits', '')})`))
    session.print('')
  }
}

const askProfile = async (session: Session, name: string, old?: SigningProfile): Promise<SigningProfile> => {
  const { ask } = session
  const { keys } = read(session)
  const domain = await ask.field(
    'The domain field forms the basis of the public-key query.\nEnter a value for the domain field:',
    hostname,
    old?.domain,
  )
  const selector = await ask.field(
    'Selectors let a domain have several keys.\nEnter a selector:',
    hostname,
    old?.selector,
  )
  const none = 'None for now (nothing is signed)'
  const choices = [...keys.map((k) => k.name), none]
  const at = old ? choices.indexOf(old.key ?? none) : 0
  const chosen = await ask.pick(
    'Select the signing key to associate with this profile:',
    choices,
    (c) => c,
    Math.max(0, at),
  )
  const forms = ['simple', 'relaxed'] as const
  const headerCanonicalization = await ask.pick(
    'Choose the canonicalization of headers:',
    forms,
    (f) => f,
    forms.indexOf(old?.headerCanonicalization ?? 'relaxed'),
  )
  const bodyCanonicalization = await ask.pick(
    'Choose the canonicalization of the body:',
    forms,
    (f) => f,
    forms.indexOf(old?.bodyCanonicalization ?? 'relaxed'),
  )
  const ends = await ask.confirm('Do you want signatures to expire?', (old?.expirationSeconds ?? null) !== null)
  const expirationSeconds = ends
    ? await ask.field(
        'Enter the number of seconds until they expire:',
        integer(3600, 31_536_000),
        old?.expirationSeconds ?? 604_800,
      )
    : null
  const whole = await ask.confirm(
    `Do you want this profile for all users of ${domain}?`,
    (old?.users.length ?? 0) === 0,
  )
  const users = whole
    ? []
    : await ask.field(
        'Enter the users, separated by commas. (Ex: user@example.com, .example.com)',
        list(user),
        old?.users,
      )
  return {
    name,
    domain,
    selector,
    key: chosen === none ? null : chosen,
    headerCanonicalization,
    bodyCanonicalization,
    expirationSeconds,
    users: [...users],
  }
}

const putProfile = (session: Session, profile: SigningProfile): void => {
  const { profiles } = read(session)
  const known = profiles.some((p) => p.name === profile.name)
  write(session, {
    profiles: known ? profiles.map((p) => (p.name === profile.name ? profile : p)) : [...profiles, profile],
  })
  session.print(`The signing profile ${profile.name} has been stored.`)
}

const removeProfile = (session: Session, profile: SigningProfile): void => {
  write(session, { profiles: read(session).profiles.filter((p) => p !== profile) })
  session.print(`The signing profile ${profile.name} has been removed.`)
}

const describe = (p: SigningProfile): readonly string[] => [
  `Profile: ${p.name}`,
  `Domain: ${p.domain}`,
  `Selector: ${p.selector}`,
  `Signing key: ${p.key ?? 'None'}`,
  `Canonicalization: ${p.headerCanonicalization}/${p.bodyCanonicalization}`,
  `Expiration: ${p.expirationSeconds === null ? 'None' : `${p.expirationSeconds} seconds`}`,
  `Users: ${p.users.length === 0 ? `all of ${p.domain}` : p.users.join(', ')}`,
]

const dnsText = (session: Session, profile: SigningProfile): readonly string[] => {
  if (profile.key === null) throw new UserError(`The profile ${profile.name} has no signing key.`)
  const key = find(read(session).keys, profile.key, 'signing key')
  const record = dnsTextRecord(key.type, key.privateKey)
  // A string of a TXT record has at most 255 bytes.
  const strings = record.match(/.{1,250}/g) ?? []
  return [`${profile.selector}._domainkey.${profile.domain}. IN TXT ${strings.map((s) => `"${s}"`).join(' ')}`]
}

const signingMenu = async (session: Session): Promise<void> => {
  const { ask } = session
  for (;;) {
    const { profiles } = read(session)
    session.print(`Number of DKIM Signing Profiles: ${profiles.length}`)
    const some = profiles.length > 0
    const operation = await ask.choose({
      NEW: 'Create a new domain profile.',
      ...(some
        ? {
            EDIT: 'Edit a domain profile.',
            DELETE: 'Delete a domain profile.',
            PRINT: 'Display domain profiles.',
            DNSTXT: 'Generate a sample of a domain DNS TXT record.',
          }
        : {}),
    })
    if (operation === null) return
    const pick = (): Promise<SigningProfile> => ask.pick('Choose the domain profile:', profiles, (p) => p.name)
    if (operation === 'NEW') {
      const name = await ask.field('Enter a name for this domain profile:', newName(profiles, 'domain profile'))
      putProfile(session, await askProfile(session, name))
    } else if (operation === 'EDIT') {
      const old = await pick()
      putProfile(session, await askProfile(session, old.name, old))
    } else if (operation === 'DELETE') removeProfile(session, await pick())
    else if (operation === 'DNSTXT') session.print(...dnsText(session, await pick()))
    else await session.page(profiles.flatMap((p, i) => [...(i > 0 ? [''] : []), ...describe(p)]))
    session.print('')
  }
}

const dialogue = async (session: Session): Promise<void> => {
  for (;;) {
    session.print(...overview(session))
    const operation = await session.ask.choose({
      PROFILES: 'Manage domain profiles.',
      KEYS: 'Manage signing keys.',
      SETUP: 'Change global settings.',
    })
    if (operation === null) return
    if (operation === 'PROFILES') await signingMenu(session)
    else if (operation === 'KEYS') await keysMenu(session)
    else {
      const { signGenerated } = read(session)
      const answer = await session.ask.confirm('Do you want to sign system-generated messages?', signGenerated)
      write(session, { signGenerated: answer })
    }
  }
}

const form = (
  words: readonly string[],
  takes: string,
  run: (session: Session, args: readonly string[]) => void,
): Form => {
  return wordForm(['domainkeysconfig', ...words, takes].join(' '), words, takes.split(' ').length, run)
}

export default defineCommand({
  name: 'domainkeysconfig',
  summary: 'Configure DKIM signing',
  description:
    'Keys and profiles of DKIM signing. Outgoing mail is signed as it is delivered, by the first profile that takes the ' +
    'address of its From header. Private keys are secrets: they are never shown.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: dialogue,
  forms: [
    form(['keys', 'new'], 'NAME rsa|ed25519', (session, [name = '', type = '']) => {
      const kind = KEY_TYPES.find((t) => t === type.toLowerCase())
      if (!kind) throw new UserError('The kind of key must be rsa or ed25519.')
      create(session, readValue(newName(read(session).keys, 'signing key'), name), kind)
    }),
    form(['keys', 'delete'], 'NAME', (session, [name = '']) =>
      removeKey(session, find(read(session).keys, name, 'signing key')),
    ),
    form(
      ['profiles', 'signing', 'new'],
      'NAME DOMAIN SELECTOR KEY',
      (session, [name = '', domain = '', selector = '', key = '']) =>
        putProfile(session, {
          name: readValue(newName(read(session).profiles, 'domain profile'), name),
          domain: readValue(hostname, domain),
          selector: readValue(hostname, selector),
          key: find(read(session).keys, key, 'signing key').name,
          headerCanonicalization: 'relaxed',
          bodyCanonicalization: 'relaxed',
          expirationSeconds: null,
          users: [],
        }),
    ),
    form(['profiles', 'signing', 'delete'], 'NAME', (session, [name = '']) =>
      removeProfile(session, find(read(session).profiles, name, 'domain profile')),
    ),
    form(['profiles', 'signing', 'print'], 'NAME', (session, [name = '']) =>
      session.print(...describe(find(read(session).profiles, name, 'domain profile'))),
    ),
    form(['profiles', 'signing', 'dnstxt'], 'NAME', (session, [name = '']) =>
      session.print(...dnsText(session, find(read(session).profiles, name, 'domain profile'))),
    ),
  ],
})
