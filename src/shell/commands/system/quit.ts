import { EVERYONE, defineCommand } from '../../command.ts'
import { confirmLeave } from '../../leave.ts'

export default defineCommand({
  name: 'quit',
  summary: 'Leave the shell',
  description: 'Ends the session. Changes that are not committed are lost; an operator is asked first.',
  category: 'system',
  roles: EVERYONE,
  needsCommit: false,
  run: async (session) => {
    if (await confirmLeave(session)) session.leave()
  },
})
