import { smtpAuth } from '../../../config/sections/smtp-auth.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import type { Field } from '../../../core/schema.ts'
import { printableCut } from '../../../core/text.ts'
import { STAGERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

type User = (typeof smtpAuth.defaults.users)[number]

const all = ({ draft }: Session): readonly User[] => draft.get(smtpAuth).users
const set = ({ draft }: Session, users: readonly User[]): void => draft.set(smtpAuth, { users: [...users] })

const userName = (taken: readonly User[]): Field<string> => ({
  parse: (text) => {
    const name = text.trim()
    if (!/^[^\s\u0000-\u001f\u007f"]{1,128}$/.test(name))
      return fail('The name must have 1 to 128 characters and no blanks or quotes.')
    return taken.some((u) => u.name === name) ? fail(`There is a user ${name} already.`) : ok(name)
  },
  format: (name) => name,
})

const MIN = 8
const MAX = 128
const passphrase: Field<string> = {
  parse: (text) =>
    [...text].length < MIN || text.length > MAX
      ? fail(`The passphrase must have ${MIN} to ${MAX} characters.`)
      : ok(text),
  format: () => '',
}

/** @throws UserError when the two differ. */
const askHash = async ({ ask, appliance }: Session): Promise<string> => {
  const options = { bare: true, secret: true }
  const first = await ask.field('Enter the passphrase:', passphrase, undefined, options)
  const second = await ask.field('Enter the passphrase again:', passphrase, undefined, options)
  if (first !== second) throw new UserError('The passphrases differ; nothing was changed.')
  return await appliance.accounts.hash(first)
}

const remove = (session: Session, name: string): void => {
  if (!all(session).some((u) => u.name === name)) throw new UserError(`There is no user '${printableCut(name, 80)}'.`)
  set(
    session,
    all(session).filter((u) => u.name !== name),
  )
}

const overview = (session: Session): readonly string[] => {
  const users = all(session)
  if (users.length === 0) return ['There are no SMTP authentication users configured.']
  return ['Currently configured SMTP authentication users:', ...users.map((u, i) => `${i + 1}. ${u.name}`)]
}

const USAGE = { delete: 'smtpauthconfig delete NAME', print: 'smtpauthconfig print' } as const

export default defineCommand({
  name: 'smtpauthconfig',
  summary: 'Configure who may submit mail after SMTP authentication',
  description:
    'Keeps the users of SMTP AUTH. A listener offers it, under TLS only, where a mail-flow policy or its default parameters say so (listenerconfig, HOSTACCESS). Whoever has authenticated may send to anybody.',
  category: 'configure',
  roles: STAGERS,
  needsCommit: true,
  run: async (session) => {
    const { ask, print } = session
    for (;;) {
      print(...overview(session))
      const rest = { PASSPHRASE: 'Change the passphrase of a user.', DELETE: 'Remove a user.' } as const
      const some = all(session).length > 0
      const operation = await ask.choose({ NEW: 'Create a new user.', ...(some ? rest : {}) })
      if (operation === null) return
      if (operation === 'NEW') {
        const name = await ask.field('Enter the name of the user.', userName(all(session)))
        const hash = await askHash(session)
        set(session, [...all(session), { name, passphrase: hash }])
        continue
      }
      const { name } = await ask.pick('Choose the user.', all(session), (u) => u.name)
      if (operation === 'DELETE') remove(session, name)
      else {
        const hash = await askHash(session)
        set(
          session,
          all(session).map((u) => (u.name === name ? { name, passphrase: hash } : u)),
        )
      }
    }
  },
  forms: [
    wordForm(USAGE.delete, ['delete'], 1, (session, [name = '']) => remove(session, name)),
    wordForm(USAGE.print, ['print'], 0, (session) => session.page(overview(session))),
  ],
})
