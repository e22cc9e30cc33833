import { isIP } from 'node:net'
import { certificates } from '../../../config/sections/certificates.ts'
import { isBaseUrl, redirect, UNKNOWN_CLICKS } from '../../../config/sections/redirect.ts'
import type { RedirectSettings } from '../../../config/sections/redirect.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import { defineCommand, STAGERS } from '../../command.ts'
import type { Form, Session } from '../../command.ts'
import { readValue, wordForm } from '../../options.ts'

const KEY_BYTES = 32
const SELF_SIGNED = 'Self-signed'
const UNKNOWN_WORDS: Readonly<Record<RedirectSettings['unknown'], string>> = {
  ask: 'Show a page that asks before it goes on',
  pass: 'Go on at once',
  block: 'Show the page for malicious URLs',
}

const address: Field<string> = {
  parse: (text) =>
    isIP(text.trim()) === 0 ? fail('The value must be an IP address. (Ex: 192.168.1.1)') : ok(text.trim()),
  format: (a) => a,
}
const baseUrl: Field<string> = {
  parse: (text) => {
    const base = text.trim().replace(/\/$/, '')
    return isBaseUrl(base) ? ok(base) : fail('The value must be a URL of a host only. (Ex: https://links.example.com)')
  },
  format: (u) => u,
}
const port = integer(0, 65_535)
const days = integer(1, 3650)

const get = ({ draft }: Session): RedirectSettings => draft.get(redirect)
const stage = (session: Session, change: Partial<RedirectSettings>): void => {
  const after = { ...get(session), ...change }
  if (JSON.stringify(after) !== JSON.stringify(get(session))) session.draft.set(redirect, after)
}
const newKey = ({ appliance }: Session): string =>
  Buffer.from(appliance.env.entropy.bytes(KEY_BYTES)).toString('base64')

const certificateOf = (s: RedirectSettings): string => {
  if (!s.tls) return 'HTTP'
  return `HTTPS, certificate ${s.certificate === null ? SELF_SIGNED.toLowerCase() : printable(s.certificate)}`
}

const summary = (s: RedirectSettings): readonly string[] => [
  `Redirect service: ${s.enabled ? 'enabled' : 'disabled'}`,
  `Listens on: ${s.address} port ${s.port} (${certificateOf(s)})`,
  `Public base URL: ${s.baseUrl === null ? 'None' : printable(s.baseUrl)}`,
  `Links are valid for: ${s.lifetimeDays} days`,
  `URLs that nothing is known about: ${UNKNOWN_WORDS[s.unknown]}`,
]

const askCertificate = async (session: Session, s: RedirectSettings): Promise<string | null> => {
  const choices = [SELF_SIGNED, ...session.draft.get(certificates).profiles.map((p) => p.name)]
  if (choices.length === 1) return null
  const at = s.certificate === null ? 0 : Math.max(0, choices.indexOf(s.certificate))
  const chosen = await session.ask.pick('Choose the certificate:', choices, printable, at)
  return chosen === SELF_SIGNED ? null : chosen
}

const setup = async (session: Session): Promise<void> => {
  const { ask, print } = session
  const now = get(session)
  if (!(await ask.confirm('Would you like to use the redirect service?', now.enabled))) {
    stage(session, { enabled: false })
    print('The redirect service is disabled.')
    return
  }
  const tls = await ask.confirm('Should it serve HTTPS? (No: HTTP, behind a proxy that ends TLS)', now.tls)
  stage(session, {
    enabled: true,
    tls,
    certificate: tls ? await askCertificate(session, now) : null,
    address: await ask.field('Enter the address to listen on; 0.0.0.0 is every address.', address, now.address),
    port: await ask.field('Enter the port.', port, now.port),
    baseUrl: await (now.baseUrl === null
      ? ask.field('Enter the public base URL of the links. (Ex: https://links.example.com)', baseUrl)
      : ask.field('Enter the public base URL of the links.', baseUrl, now.baseUrl)),
    lifetimeDays: await ask.field('For how many days are links valid?', days, now.lifetimeDays),
    unknown: await ask.pick(
      'What should happen on a click on a URL that nothing is known about?',
      UNKNOWN_CLICKS,
      (word) => UNKNOWN_WORDS[word],
      UNKNOWN_CLICKS.indexOf(now.unknown),
    ),
    key: now.key ?? newKey(session),
  })
}

const form = (word: string, argument: string, act: (session: Session, value: string) => void): Form => {
  const usage = `redirectconfig ${word}${argument === '' ? '' : ` ${argument}`}`
  return wordForm(usage, [word], argument === '' ? 0 : 1, (session, [value = '']) => act(session, value))
}

const enable = (session: Session): void => {
  if (get(session).baseUrl === null) throw new UserError('Set the public base URL first: redirectconfig baseurl URL.')
  stage(session, { enabled: true, key: get(session).key ?? newKey(session) })
}

const setCertificate = (session: Session, name: string): void => {
  const known = session.draft.get(certificates).profiles.some((p) => p.name === name)
  if (name === 'none' || name === 'http') return stage(session, { tls: name === 'none', certificate: null })
  if (!known) throw new UserError(`There is no certificate profile '${printable(name)}'. Create it with certconfig.`)
  return stage(session, { tls: true, certificate: name })
}

const setUnknown = (session: Session, text: string): void => {
  const unknown = UNKNOWN_CLICKS.find((w) => w === text.toLowerCase())
  if (unknown === undefined) throw new UserError(`The value must be one of: ${UNKNOWN_CLICKS.join(', ')}.`)
  stage(session, { unknown })
}

export default defineCommand({
  name: 'redirectconfig',
  summary: 'Configure the redirect service for rewritten URLs',
  description:
    'URLs that a filter rewrites with url-reputation-proxy-redirect and its kin lead to a small web service of this ' +
    'appliance, which judges them when somebody follows them. It is off by default and never fetches the target.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  forms: [
    form('enable', '', enable),
    form('disable', '', (session) => stage(session, { enabled: false })),
    form('address', 'ADDRESS', (session, text) => stage(session, { address: readValue(address, text) })),
    form('port', 'PORT', (session, text) => stage(session, { port: readValue(port, text) })),
    form('baseurl', 'URL', (session, text) => stage(session, { baseUrl: readValue(baseUrl, text) })),
    form('certificate', 'NAME|none|http', setCertificate),
    form('lifetime', 'DAYS', (session, text) => stage(session, { lifetimeDays: readValue(days, text) })),
    form('unknown', UNKNOWN_CLICKS.join('|'), setUnknown),
    form('newkey', '', (session) => stage(session, { key: newKey(session) })),
    form('print', '', (session) => session.print(...summary(get(session)))),
  ],
  run: async (session) => {
    session.print(...summary(get(session)))
    if ((await session.ask.choose({ SETUP: 'Configure the redirect service.' })) === 'SETUP') await setup(session)
  },
})
