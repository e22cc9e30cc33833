import {
  BUILT_IN,
  RESERVED_NAMES,
  ROLES,
  USER_NAME,
  builtInUser,
  users,
  withPassphrase,
} from '../../../config/sections/users.ts'
import type { Role, User } from '../../../config/sections/users.ts'
import { UserError } from '../../../core/errors.ts'
import { fail, ok } from '../../../core/result.ts'
import { integer, text } from '../../../core/schema.ts'
import type { Field } from '../../../core/schema.ts'
import { ADMINISTRATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { ROLE_WORDS, userLines } from '../../format/user.ts'
import { askPassphrase } from '../../passphrase.ts'
import { wordForm } from '../../options.ts'

const all = ({ draft }: Session): readonly User[] => draft.get(users).accounts
const set = (session: Session, accounts: readonly User[]): void =>
  session.draft.set(users, { ...session.draft.get(users), accounts: [...accounts] })
const change = (session: Session, name: string, to: Partial<User>): void =>
  set(
    session,
    all(session).map((u) => (u.name === name ? { ...u, ...to } : u)),
  )

const newName = (taken: readonly User[]): Field<string> => ({
  parse: (answer) => {
    const name = answer.trim()
    if (!USER_NAME.test(name))
      return fail(
        'The name must begin with a small letter and have up to 32 small letters, digits, dots, hyphens or underscores.',
      )
    if (RESERVED_NAMES.includes(name)) return fail(`The name ${name} is reserved by the system.`)
    return taken.some((u) => u.name === name) ? fail(`There is a user ${name} already.`) : ok(name)
  },
  format: (name) => name,
})

const pickUser = async (session: Session, what: string, from: readonly User[] = all(session)): Promise<User> =>
  await session.ask.pick(`Enter the number of the user to ${what}:`, from, (u) => u.name, 0)

const askRole = async ({ ask }: Session, name: string, now: Role): Promise<Role> =>
  await ask.pick(
    `Assign a role to "${name}":`,
    ROLES,
    (role) => `${ROLE_WORDS[role].title} - ${ROLE_WORDS[role].text}`,
    ROLES.indexOf(now),
  )

const setPassphrase = async (session: Session, user: User): Promise<void> => {
  const hash = await askPassphrase(session, user, {
    first: `Enter a passphrase for ${user.name}.`,
    again: 'Please enter the new passphrase again.',
  })
  session.draft.set(users, withPassphrase(session.draft.get(users), user.name, hash))
}

const NONE_BUT_ADMIN = `There is no account but ${BUILT_IN}, which cannot be changed in this way.`
const others = (session: Session): readonly User[] => {
  const found = all(session).filter((u) => u.name !== BUILT_IN)
  if (found.length === 0) throw new UserError(NONE_BUT_ADMIN)
  return found
}

const policy = async (session: Session): Promise<void> => {
  const { ask, draft } = session
  const now = draft.get(users).policy
  const minLength = await ask.field('Minimum number of characters of a passphrase:', integer(6, 128), now.minLength)
  const upper = await ask.confirm('Require an upper case letter?', now.upper)
  const lower = await ask.confirm('Require a lower case letter?', now.lower)
  const digit = await ask.confirm('Require a digit?', now.digit)
  const special = await ask.confirm('Require a special character?', now.special)
  const history = await ask.field('How many earlier passphrases may not be used again?', integer(0, 15), now.history)
  const lockAttempts = await ask.field(
    'After how many failed logins is an account locked for a while? Enter 0 for never.',
    integer(0, 60),
    now.lockAttempts,
  )
  const lockMinutes =
    lockAttempts === 0 ? now.lockMinutes : await ask.field('For how many minutes?', integer(1, 1440), now.lockMinutes)
  draft.set(users, {
    ...draft.get(users),
    policy: { minLength, upper, lower, digit, special, history, lockAttempts, lockMinutes },
  })
}

const status = async (session: Session): Promise<void> => {
  const user = await pickUser(session, 'change the status of')
  const { accounts } = session.appliance
  if (accounts.lockedByFailures(user.name)) {
    if (await session.ask.confirm(`${user.name} is locked after failed logins. Unlock now?`, true))
      accounts.unlock(user.name)
    return
  }
  if (user.status === 'locked') {
    if (await session.ask.confirm(`The account ${user.name} is locked. Make it active?`, true))
      change(session, user.name, { status: 'active' })
    return
  }
  if (user.name === session.user.name) throw new UserError('You cannot lock the account that you work under.')
  if (await session.ask.confirm(`The account ${user.name} is active. Lock it?`, false))
    change(session, user.name, { status: 'locked' })
}

const OPERATIONS = {
  NEW: async (session: Session) => {
    const name = await session.ask.field('Enter the new username.', newName(all(session)))
    const fullName = await session.ask.field(`Enter the full name for ${name}.`, text({ max: 128 }))
    const role = await askRole(session, name, 'administrator')
    const user: User = { ...builtInUser, name, fullName, role }
    const hash = await askPassphrase(session, user, {
      first: `Enter a passphrase for ${name}.`,
      again: 'Please enter the new passphrase again.',
    })
    set(session, [...all(session), { ...user, passphrase: hash }])
  },
  EDIT: async (session: Session) => {
    const user = await pickUser(session, 'edit', others(session))
    const fullName = await session.ask.field(`Enter the full name for ${user.name}.`, text({ max: 128 }), user.fullName)
    change(session, user.name, { fullName, role: await askRole(session, user.name, user.role) })
  },
  DELETE: async (session: Session) => {
    const user = await pickUser(session, 'delete', others(session))
    if (user.name === session.user.name) throw new UserError('You cannot delete the account that you work under.')
    const sure = await session.ask.confirm(`Are you sure you want to delete ${user.name}?`, false)
    if (sure)
      set(
        session,
        all(session).filter((u) => u !== user),
      )
  },
  POLICY: policy,
  PASSPHRASE: async (session: Session) => setPassphrase(session, await pickUser(session, 'change the passphrase of')),
  STATUS: status,
  SOCKET: async (session: Session) => {
    const user = await pickUser(session, 'give a local socket to')
    const name = await session.ask.optional(
      `Which user of the operating system may work as ${user.name} through a socket of its own?\nLeave it empty for none.`,
      systemName,
    )
    change(session, user.name, { systemUser: name })
  },
} as const

const systemName: Field<string> = {
  parse: (answer) =>
    /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(answer.trim())
      ? ok(answer.trim())
      : fail('The value must be the name of a user of the operating system.'),
  format: (name) => name,
}

export default defineCommand({
  name: 'userconfig',
  summary: 'Manage user accounts',
  description:
    'Accounts for SSH: names, roles, passphrases, and the rules for them. A deleted or locked user, and one whose role ' +
    'changes, is logged out by the commit. userconfig print lists the accounts.',
  category: 'configure',
  roles: ADMINISTRATORS,
  needsCommit: true,
  forms: [wordForm('userconfig print', ['print'], 0, (session) => session.print(...userLines(all(session))))],
  run: async (session) => {
    for (;;) {
      session.print(...userLines(all(session)))
      const more = all(session).length > 1
      const operation = await session.ask.choose({
        NEW: 'Create a new account.',
        ...(more ? { EDIT: 'Modify an account.', DELETE: 'Remove an account.' } : {}),
        POLICY: 'Change passphrase and account policy settings.',
        PASSPHRASE: 'Change the passphrase for a user.',
        STATUS: 'Change the account status.',
        SOCKET: 'Let a user of the operating system work through a local socket.',
      })
      if (operation === null) return
      await OPERATIONS[operation](session)
    }
  },
})
