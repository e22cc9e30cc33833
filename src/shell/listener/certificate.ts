import { certificates } from '../../config/sections/certificates.ts'
import type { Listener } from '../../config/sections/listeners.ts'
import { UserError } from '../../core/errors.ts'
import { printableCut } from '../../core/text.ts'
import type { Session } from '../command.ts'
import { changeListener, findListener } from '../listeners.ts'
import { readForm } from '../options.ts'

export const CERTIFICATE_USAGE = 'listenerconfig edit NAME certificate PROFILE[,PROFILE...]|none'

/** `listenerconfig > EDIT > CERTIFICATE`. */
export const askCertificate = async ({ ask, draft }: Session, l: Listener): Promise<Partial<Listener>> => {
  const names = draft.get(certificates).profiles.map((p) => p.name)
  if (names.length === 0) throw new UserError('There are no certificate profiles. Make one with certconfig.')
  const own = "The appliance's own"
  const all = [own, ...names]
  const question = `Choose the certificates. The first answers, unless a client asks for a host of another one.
Separate multiple choices with commas.`
  const initial = l.certificates.length === 0 ? [0] : l.certificates.map((c) => all.indexOf(c)).filter((i) => i > 0)
  const chosen = await ask.pickMany(question, all, (n) => n, initial)
  return { certificates: chosen.filter((n) => n !== own) }
}

/** `listenerconfig edit NAME certificate PROFILE[,PROFILE...]|none` */
export const certificateForm = (session: Session, name: string, args: readonly string[]): void => {
  const [list = ''] = readForm(CERTIFICATE_USAGE, args, { min: 1, max: 1 }).words
  const names = list.toLowerCase() === 'none' ? [] : list.split(',').map((n) => n.trim())
  const known = session.draft.get(certificates).profiles
  const missing = names.find((n) => !known.some((p) => p.name === n))
  if (missing !== undefined) throw new UserError(`There is no certificate profile '${printableCut(missing, 64)}'.`)
  changeListener(session, findListener(session, name), { certificates: [...new Set(names)] })
}
