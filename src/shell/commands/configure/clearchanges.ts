import { UserError } from '../../../core/errors.ts'
import { READERS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { wordForm } from '../../options.ts'

const USAGE = 'clearchanges SECTION'

const cleared = (session: Session): void => {
  const { time, env } = session.appliance
  session.print(`Changes cleared: ${time.stamp(env.clock.now())}`)
}

export default defineCommand({
  name: 'clearchanges',
  summary: 'Clear the changes that are not committed',
  description:
    'Drops what this session changed since its last commit. With the name of a section (as showchanges prints it) only ' +
    'the changes to that section are dropped, which resolves a conflict with somebody else’s commit.',
  category: 'configure',
  roles: READERS,
  needsCommit: false,
  forms: [
    wordForm(USAGE, [], 1, (session, [section = '']) => {
      const staged = new Set(session.draft.changes().map((c) => (c.segments ?? [c.path])[0]))
      if (!staged.has(section)) {
        const names = [...staged].join(', ')
        throw new UserError(
          staged.size === 0
            ? 'There are no changes to clear.'
            : `There are no changes in '${section}', only in: ${names}.`,
        )
      }
      session.draft.clear(section)
      cleared(session)
    }),
  ],
  run: async (session) => {
    if (!session.draft.dirty) {
      session.print('There are no changes to clear.')
      return
    }
    if (!(await session.ask.confirm('Are you sure you want to clear all changes since the last commit?', true))) return
    session.draft.clear()
    cleared(session)
  },
})
