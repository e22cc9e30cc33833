import { UserError } from '../../../core/errors.ts'
import { text, yesNo } from '../../../core/schema.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { misused, readForm } from '../../options.ts'

const COMMENT = text({ required: false, max: 1024 })
const USAGE = 'commit "comment" [Y|N]'

const commit = async (session: Session, comment: string, keepForRollback: boolean): Promise<void> => {
  const { config, time } = session.appliance
  const record = await config.commit(session.draft, { user: session.user.name, comment, keepForRollback })
  for (const warning of record.warnings ?? []) session.print(`Warning: ${warning}`)
  session.print(`Changes committed: ${time.stampZone(record.at)}`)
}

/** Nothing staged is no failure: a script that finds everything as it wants it may end with commit. */
const nothingStaged = (session: Session): boolean => {
  if (session.draft.dirty) return false
  session.print('There is no data to commit.')
  return true
}

export default defineCommand({
  name: 'commit',
  summary: 'Commit the changes',
  description:
    'Makes the changes of this session the running configuration. Sections that this session did not change keep what ' +
    'others committed meanwhile; a section that somebody else committed meanwhile refuses the commit, and the changes stay.',
  category: 'configure',
  roles: OPERATORS,
  needsCommit: false,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words } = readForm(USAGE, args, { min: 1, max: 2 })
        const comment = COMMENT.parse(words[0] ?? '')
        const keep = yesNo.parse(words[1] ?? 'Y')
        if (!comment.ok) throw new UserError(comment.error)
        if (!keep.ok) throw misused(keep.error, USAGE)
        if (!nothingStaged(session)) await commit(session, comment.value, keep.value)
      },
    },
  ],
  run: async (session) => {
    if (nothingStaged(session)) return
    const comment = await session.ask.field('Please enter some comments describing your changes:', COMMENT)
    const keep = await session.ask.confirm('Do you want to save the current configuration for rollback?', true)
    await commit(session, comment, keep)
  },
})
