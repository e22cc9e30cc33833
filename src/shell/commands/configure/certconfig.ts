import { readConfigurationFile } from '../../../config/files.ts'
import { certificates } from '../../../config/sections/certificates.ts'
import type { CertificateProfile } from '../../../config/sections/certificates.ts'
import { listeners } from '../../../config/sections/listeners.ts'
import { certificateFacts, matchingChain, readCertificates, readPrivateKey } from '../../../core/certificates.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { hostname, integer, list, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { writeExport } from '../../files.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { certificateTable } from '../../format/certificates.ts'
import { readForm, readValue } from '../../options.ts'

type Section = (typeof certificates)['defaults']
type Authority = Section['authorities'][number]

const settings = ({ draft }: Session): Section => draft.get(certificates)
const store = (session: Session, change: Partial<Section>): void =>
  session.draft.set(certificates, { ...settings(session), ...change })

const profileName: Field<string> = {
  parse: (typed) =>
    /^[A-Za-z0-9_.-]{1,64}$/.test(typed.trim())
      ? ok(typed.trim())
      : fail('The name must have only letters, numbers, dots, hyphens and underscores; other symbols are not allowed.'),
  format: (name) => name,
}
const fileName = text({ max: 200 })
const passphrase: Field<string> = { parse: (typed) => ok(typed), format: () => '' }
const days = integer(1, 3650)
const DAYS = 365

const find = (session: Session, name: string): CertificateProfile => {
  const found = settings(session).profiles.find((p) => p.name === name)
  if (!found) throw new UserError(`There is no certificate profile '${printableCut(name, 64)}'.`)
  return found
}

const put = (session: Session, profile: CertificateProfile): void => {
  const { profiles } = settings(session)
  const known = profiles.some((p) => p.name === profile.name)
  store(session, {
    profiles: known ? profiles.map((p) => (p.name === profile.name ? profile : p)) : [...profiles, profile],
  })
}

const profileOf = (name: string, pem: string, pass?: string): CertificateProfile => {
  const privateKey = readPrivateKey(pem, pass)
  return { name, certificate: matchingChain(readCertificates(pem), privateKey), privateKey, request: '' }
}

const make = ({ appliance }: Session, name: string, names: readonly string[], lasts: number): CertificateProfile => {
  const { key, cert } = appliance.certificates.selfSigned(names, lasts)
  return { name, certificate: cert, privateKey: key, request: appliance.certificates.request(key, names) }
}

const remove = (session: Session, { name }: CertificateProfile): void => {
  const user = session.draft.get(listeners).find((l) => l.certificates.includes(name))
  if (user) throw new UserError(`The listener ${user.name} uses ${name}: choose another certificate there first.`)
  store(session, { profiles: settings(session).profiles.filter((p) => p.name !== name) })
}

const assignments = (session: Session): readonly string[] =>
  session.draft.get(listeners).map((l) => {
    const names = l.certificates.length === 0 ? "the appliance's own" : l.certificates.join(', ')
    return `Listener ${l.name}: ${names}`
  })

const overview = (session: Session): readonly string[] =>
  certificateTable(settings(session).profiles, session.appliance.env.clock.now())

/** A profile that exists is overwritten only when asked; null = it stays. */
const askName = async (session: Session): Promise<string | null> => {
  const name = await session.ask.field('Enter a name for this certificate profile:', profileName, undefined, {
    bare: true,
  })
  if (!settings(session).profiles.some((p) => p.name === name)) return name
  const question = `Certificate profile "${name}" already exists. Do you want to overwrite with this new one?`
  return (await session.ask.confirm(question, false)) ? name : null
}

const encrypted = (pem: string): boolean => /ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)

const fromText = async (session: Session, name: string, pem: string): Promise<void> => {
  const pass = encrypted(pem)
    ? await session.ask.field('Enter the pass phrase of the private key:', passphrase, undefined, {
        bare: true,
        secret: true,
      })
    : undefined
  put(session, profileOf(name, pem, pass))
}

const PASTE =
  "Paste the certificate, those that lead to its authority, and the private key in PEM; then '.' on a line of its own."
const NAMES = 'Enter the host names of the certificate, separated by commas. The first is its common name.'

const edit = async (session: Session): Promise<void> => {
  const { ask, print } = session
  const profile = await ask.pick('Choose the certificate profile:', settings(session).profiles, (p) => p.name)
  const operation = await ask.choose({
    PASTE: 'Paste the certificate that an authority signed.',
    REQUEST: 'View the signing request.',
  })
  if (operation === 'PASTE') {
    const pem = await ask.paste("Paste the certificate and its chain in PEM; then '.' on a line of its own.")
    put(session, { ...profile, certificate: matchingChain(readCertificates(pem), profile.privateKey) })
  } else if (operation === 'REQUEST') {
    const request = requestOf(session, profile)
    put(session, { ...profile, request })
    print(...request.trimEnd().split('\n'), '')
  }
}

const requestOf = ({ appliance }: Session, profile: CertificateProfile): string =>
  profile.request === ''
    ? appliance.certificates.request(profile.privateKey, certificateFacts(profile.certificate).names)
    : profile.request

const exportChain = async (session: Session, profile: CertificateProfile, file: string): Promise<void> => {
  await writeExport(session, file, profile.certificate.trimEnd().split('\n'))
  session.print(`The certificate ${profile.name} was exported to ${file}, without its private key.`)
}

const certificateMenu = async (session: Session): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    print(...overview(session))
    const some = {
      EDIT: 'Update certificate or view the signing request',
      EXPORT: 'Export a certificate',
      DELETE: 'Remove a certificate',
    } as const
    const operation = await ask.choose({
      IMPORT: 'Import a certificate from a local PEM file',
      PASTE: 'Paste a certificate into the CLI',
      NEW: 'Create a self-signed certificate and CSR',
      ...(settings(session).profiles.length > 0 ? some : {}),
      PRINT: 'View certificates assigned to services',
    })
    const pick = (): Promise<CertificateProfile> =>
      ask.pick('Choose the certificate profile:', settings(session).profiles, (p) => p.name)
    switch (operation) {
      case null:
        return
      case 'IMPORT': {
        const name = await askName(session)
        if (name === null) break
        const file = await ask.field('Enter the name of the file to import:', fileName)
        await fromText(session, name, await readConfigurationFile(session.appliance.home, file))
        break
      }
      case 'PASTE': {
        const name = await askName(session)
        if (name !== null) await fromText(session, name, await ask.paste(PASTE))
        break
      }
      case 'NEW': {
        const name = await askName(session)
        if (name === null) break
        const names = await ask.field(NAMES, list(hostname))
        put(session, make(session, name, names, await ask.field('Enter the duration in days:', days, DAYS)))
        break
      }
      case 'EDIT':
        await edit(session)
        break
      case 'EXPORT': {
        const profile = await pick()
        await exportChain(session, profile, await ask.field('Enter a name for the exported file:', fileName))
        print('')
        break
      }
      case 'DELETE':
        remove(session, await pick())
        break
      case 'PRINT':
        print(...assignments(session), '')
    }
  }
}

const addAuthority = (session: Session, authority: Authority): void => {
  const { authorities } = settings(session)
  if (authorities.some((a) => a.name === authority.name))
    throw new UserError(`There is an authority '${authority.name}' already.`)
  store(session, { authorities: [...authorities, authority] })
}

const removeAuthority = (session: Session, name: string): void => {
  const { authorities } = settings(session)
  if (!authorities.some((a) => a.name === name))
    throw new UserError(`There is no authority '${printableCut(name, 64)}'.`)
  store(session, { authorities: authorities.filter((a) => a.name !== name) })
}

const authorityMenu = async (session: Session): Promise<void> => {
  const { ask, print } = session
  for (;;) {
    const { authorities } = settings(session)
    print(...certificateTable(authorities, session.appliance.env.clock.now(), 'Custom Certificate Authorities'))
    const rest = { DELETE: 'Remove an authority.' } as const
    const operation = await ask.choose({
      PASTE: 'Paste the certificate of an authority.',
      ...(authorities.length > 0 ? rest : {}),
    })
    if (operation === null) return
    if (operation === 'DELETE')
      removeAuthority(session, (await ask.pick('Choose the authority:', authorities, (a) => a.name)).name)
    else {
      const name = await ask.field('Enter a name for this authority:', profileName, undefined, { bare: true })
      const pem = await ask.paste("Paste the certificate in PEM; then '.' on a line of its own.")
      addAuthority(session, { name, certificate: readCertificates(pem) })
    }
  }
}

const form = (
  words: readonly string[],
  takes: string,
  values: readonly string[],
  run: (session: Session, args: readonly string[], options: Readonly<Record<string, string | undefined>>) => unknown,
): Form => {
  const count = takes === '' ? 0 : takes.split(' ').length
  const shown = values.map((v) => `[--${v}=${v === 'days' ? 'N' : 'TEXT'}]`)
  const usage = ['certconfig', ...words, ...(takes === '' ? [] : [takes]), ...shown].join(' ')
  return {
    usage,
    words,
    run: async (session, args) => {
      const given = readForm(usage, args, { min: count, max: count, values })
      await run(session, given.words, given.options)
    },
  }
}

export default defineCommand({
  name: 'certconfig',
  summary: 'Configure certificates and keys',
  description:
    'Keeps the certificates that listeners answer STARTTLS with, and authorities of your own for the certificates of clients. A listener takes one or several (listenerconfig, CERTIFICATE): the first answers, unless the client asks for a host of another one. Private keys are kept encrypted and are never shown or exported.',
  options: {
    '--passphrase=TEXT': 'Pass phrase of the private key in the file.',
    '--days=N': 'How long the certificate lasts; 365 when it is not said.',
  },
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  run: async (session) => {
    for (;;) {
      const operation = await session.ask.choose({
        CERTIFICATE: 'Import, Create a request, Edit or Remove Certificate Profiles',
        CERTAUTHORITY: 'Manage Customer CAs',
      })
      if (operation === null) return
      await (operation === 'CERTIFICATE' ? certificateMenu : authorityMenu)(session)
    }
  },
  forms: [
    form(['print'], '', [], (session) => session.page([...overview(session), '', ...assignments(session)])),
    form(['new'], 'NAME HOST[,HOST...]', ['days'], (session, [name = '', names = ''], options) =>
      put(
        session,
        make(
          session,
          readValue(profileName, name),
          readValue(list(hostname), names),
          options['days'] === undefined ? DAYS : readValue(days, options['days']),
        ),
      ),
    ),
    form(['import'], 'NAME FILE', ['passphrase'], async (session, [name = '', file = ''], options) => {
      const pem = await readConfigurationFile(session.appliance.home, file)
      put(session, profileOf(readValue(profileName, name), pem, options['passphrase']))
    }),
    form(['request'], 'NAME', [], async (session, [name = '']) =>
      session.page(requestOf(session, find(session, name)).trimEnd().split('\n')),
    ),
    form(['export'], 'NAME FILE', [], (session, [name = '', file = '']) =>
      exportChain(session, find(session, name), file),
    ),
    form(['delete'], 'NAME', [], (session, [name = '']) => remove(session, find(session, name))),
    form(['authority', 'import'], 'NAME FILE', [], async (session, [name = '', file = '']) =>
      addAuthority(session, {
        name: readValue(profileName, name),
        certificate: readCertificates(await readConfigurationFile(session.appliance.home, file)),
      }),
    ),
    form(['authority', 'delete'], 'NAME', [], (session, [name = '']) => removeAuthority(session, name)),
  ],
})
