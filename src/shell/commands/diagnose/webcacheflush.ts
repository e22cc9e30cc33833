import { OPERATORS, defineCommand } from '../../command.ts'

export default defineCommand({
  name: 'webcacheflush',
  summary: 'Forget the cached answers of URL look-ups',
  description: 'Empties the cache of URL look-ups: every URL is looked up again when it comes next.',
  category: 'diagnose',
  roles: OPERATORS,
  needsCommit: false,
  run: async (session) => {
    session.appliance.urlReputation.flush()
    session.print('Web Security cache has been flushed.')
  },
})
