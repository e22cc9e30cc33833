import { BUILT_IN, builtInUser, users } from '../../../config/sections/users.ts'
import { UserError } from '../../../core/errors.ts'
import { ADMINISTRATORS, defineCommand } from '../../command.ts'

export default defineCommand({
  name: 'resetconfig',
  summary: 'Restore the factory default configuration',
  description:
    'Stages the factory default of every section; it acts with the commit, and clearchanges takes it back. Messages, ' +
    'mailboxes, logs, saved configurations and the passphrase of admin stay. Only the user admin may do it.',
  category: 'configure',
  roles: ADMINISTRATORS,
  needsCommit: true,
  run: async (session) => {
    if (session.user.name !== BUILT_IN) throw new UserError('Only the user admin may reset the configuration.')
    if (!(await session.ask.confirm('Are you sure you want to reset all configuration values?', false))) return
    const admin = session.draft.get(users).accounts.find((u) => u.name === BUILT_IN)
    session.appliance.config.stageDefaults(session.draft)
    // Without its passphrase nobody could come in over the network any more.
    const kept = { ...builtInUser, passphrase: admin?.passphrase ?? null, earlier: admin?.earlier ?? [] }
    session.draft.set(users, { ...users.defaults, accounts: [kept] })
    if (!session.draft.dirty) {
      session.print('All settings have their factory default already.')
      return
    }
    session.print(
      'All settings have been restored to the factory default.',
      'Be sure to run "commit" to make these settings active.',
    )
  },
})
