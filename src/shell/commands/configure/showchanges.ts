import { printable } from '../../../core/text.ts'
import { READERS, defineCommand } from '../../command.ts'
import { changeTree } from '../../format/changes.ts'

export default defineCommand({
  name: 'showchanges',
  summary: 'Show the changes that are not committed',
  description:
    'Shows what this session changed since its last commit as a tree: the path, the old value, the new value. ' +
    'Where somebody else committed the same section meanwhile, both sides are shown.',
  category: 'configure',
  roles: READERS,
  needsCommit: false,
  run: async (session) => {
    const { config, time } = session.appliance
    const changes = session.draft.changes()
    if (changes.length === 0) {
      session.print('There are no changes.')
      return
    }
    const conflicts = config
      .conflicts(session.draft)
      .flatMap((c) => [
        '',
        `Conflict: ${printable(c.user)} committed ${c.section} at ${time.stampZone(c.at)} (revision ${c.revision}):`,
        ...changeTree(c.theirs),
        `Type 'clearchanges ${c.section}' to drop your changes to ${c.section}, then make them again.`,
      ])
    await session.page([...changeTree(changes), ...conflicts])
  },
})
