import { users } from '../config/sections/users.ts'
import type { PassphrasePolicy, User } from '../config/sections/users.ts'
import { fail, ok } from '../core/result.ts'
import type { Field } from '../core/schema.ts'
import { generatePassphrase, policyFault } from '../services/passphrases.ts'
import type { Session } from './command.ts'

/** Blanks count: nothing is trimmed. */
export const anyPassphrase: Field<string> = {
  parse: (text) => (text === '' ? fail('A value is required.') : ok(text)),
  format: () => '',
}

const newPassphrase = (policy: PassphrasePolicy, name: string): Field<string> => ({
  parse: (text) => {
    const fault = policyFault(policy, name, text)
    return fault === null ? ok(text) : fail(fault)
  },
  format: () => '',
})

const secret = { bare: true, secret: true } as const

/** Asks for a new passphrase twice, or makes one, and answers its hash. */
export const askPassphrase = async (
  session: Session,
  user: User,
  questions: { readonly first: string; readonly again: string },
): Promise<string> => {
  const { ask, appliance } = session
  const { policy } = session.draft.get(users)
  if (await ask.confirm('Would you like to get a system generated passphrase?', false)) {
    const made = generatePassphrase(appliance.env.entropy, policy.minLength)
    session.print(`The passphrase of ${user.name} is ${made}`, 'Note it now: it is not shown again.')
    return await appliance.accounts.hash(made)
  }
  for (;;) {
    const plain = await ask.field(questions.first, newPassphrase(policy, user.name), undefined, secret)
    if ((await ask.field(questions.again, anyPassphrase, undefined, secret)) !== plain) {
      session.print('The passphrases do not match.')
      continue
    }
    if (!(await usedBefore(session, user, plain))) return await appliance.accounts.hash(plain)
    session.print('This passphrase was used before; choose another one.')
  }
}

const usedBefore = async ({ appliance }: Session, user: User, plain: string): Promise<boolean> => {
  for (const passphrase of user.passphrase === null ? user.earlier : [user.passphrase, ...user.earlier])
    if (await appliance.accounts.matches({ ...user, passphrase }, plain)) return true
  return false
}
