import { UserError } from '../../../core/errors.ts'
import { ADMINISTRATORS, defineCommand } from '../../command.ts'

/** The built-in account; no other may reset, whatever its role (commands.md, Roles). */
const BUILT_IN = 'admin'

export default defineCommand({
  name: 'resetconfig',
  summary: 'Restore the factory default configuration',
  description:
    'Stages the factory default of every section; it acts with the commit, and clearchanges takes it back. Messages, ' +
    'mailboxes, logs and saved configurations stay. Only the user admin may do it.',
  category: 'configure',
  roles: ADMINISTRATORS,
  needsCommit: true,
  run: async (session) => {
    if (session.user.name !== BUILT_IN) throw new UserError('Only the user admin may reset the configuration.')
    if (!(await session.ask.confirm('Are you sure you want to reset all configuration values?', false))) return
    session.appliance.config.stageDefaults(session.draft)
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
