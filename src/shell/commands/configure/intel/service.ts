import { intelligence } from '../../../../config/sections/intelligence.ts'
import { UserError } from '../../../../core/errors.ts'
import { fail, ok } from '../../../../core/result.ts'
import { text } from '../../../../core/schema.ts'
import type { Field } from '../../../../core/schema.ts'
import { printable } from '../../../../core/text.ts'
import type { Form, Session } from '../../../command.ts'
import { wordForm } from '../../../options.ts'

/** The part of intelconfig about which intelligence service is used. */

type Intelligence = typeof intelligence.defaults

const EMBEDDED = 'embedded'
const field = (pattern: RegExp, error: string): Field<string> => ({
  parse: (s) => (pattern.test(s.trim()) ? ok(s.trim()) : fail(error)),
  format: (s) => s,
})
const service = field(
  /^(?:embedded|https:\/\/[^/?#\s@]+)$/,
  `Enter '${EMBEDDED}' or a URL. (Ex: https://intel.example.com:8443)`,
)
const proxy = field(/^(?:none|http:\/\/[^/?#\s@]+)$/, "Enter 'none' or a URL. (Ex: http://proxy.example.com:3128)")

const stage = (session: Session, change: Partial<Intelligence>): void =>
  session.draft.set(intelligence, { ...session.draft.get(intelligence), ...change })

export const serviceLine = (session: Session): string => {
  const { serviceUrl } = session.draft.get(intelligence)
  return `Intelligence service: ${serviceUrl === null ? EMBEDDED : printable(serviceUrl)}`
}

export const askService = async (session: Session): Promise<void> => {
  const { ask, draft } = session
  const value = draft.get(intelligence)
  const organization = await ask.field('Enter the name of the organization:', text({ max: 128 }), value.organization)
  const question = `Enter the URL of a shared intelligence service, or '${EMBEDDED}':`
  const url = await ask.field(question, service, value.serviceUrl ?? EMBEDDED)
  if (url === EMBEDDED) {
    stage(session, { organization, serviceUrl: null })
    return
  }
  const ca = "Enter the path of the CA certificate of the service, or 'system':"
  const caFile = await ask.field(ca, text(), value.caFile ?? 'system')
  const through = await ask.field("Enter the URL of the HTTP proxy, or 'none':", proxy, value.proxyUrl ?? 'none')
  const secret = 'Enter the device secret that the service issued:'
  const deviceSecret = await ask.field(secret, text(), value.deviceSecret ?? undefined, { secret: true })
  const hashLookups = await ask.confirm(
    'Do you want to ask by prefixes of hashes, so that the service does not learn which URLs your mail holds?',
    value.hashLookups,
  )
  const hashSubmissions = await ask.confirm(
    'Do you want to hand over hashes instead of URLs for watching?',
    value.hashSubmissions,
  )
  stage(session, {
    organization,
    hashLookups,
    hashSubmissions,
    serviceUrl: url,
    caFile: caFile === 'system' ? null : caFile,
    proxyUrl: through === 'none' ? null : through,
    deviceSecret,
  })
}

const USAGE = 'intelconfig service embedded'

/** A shared service needs a secret, which does not belong into a script's words: the dialogue asks for it. */
export const serviceForm: Form = wordForm(USAGE, ['service'], 1, (session, [word]) => {
  if (word !== EMBEDDED) throw new UserError('A shared service is set in the dialogue, which asks for its secret.')
  stage(session, { serviceUrl: null })
})
