import { EVERYONE, defineCommand } from '../../command.ts'
import type { Role } from '../../command.ts'
import { ROLE_WORDS } from '../../format/user.ts'

/** The groups that AsyncOS names for an administrator; the other roles are in one. */
const groups = (role: Role): string =>
  role === 'administrator' ? 'admin, operators, config, log, guest' : ROLE_WORDS[role].group

export default defineCommand({
  name: 'whoami',
  summary: 'Show the user that you work as',
  description: 'Shows your user name, full name and groups.',
  category: 'system',
  roles: EVERYONE,
  needsCommit: false,
  run: async ({ user, print }) =>
    print(`Username: ${user.name}`, `Full Name: ${user.fullName}`, `Groups: ${groups(user.role)}`),
})
