import { users } from '../../../config/sections/users.ts'
import { integer } from '../../../core/schema.ts'
import { printable } from '../../../core/text.ts'
import type { CommitRecord } from '../../../config/section.ts'
import { OPERATORS, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { misused, readForm, readValue } from '../../options.ts'

/** The last ten saved configurations can be chosen. */
const OFFERED = 10
const USAGE = 'rollbackconfig NUMBER [commit]'

const kept = ({ appliance }: Session): readonly CommitRecord[] => appliance.config.history(OFFERED, true)

const described = ({ appliance }: Session, { at, user, comment }: CommitRecord): string =>
  `${appliance.time.stamp(at)}    ${printable(user).padEnd(6)} ${printable(comment)}`.trimEnd()

const table = (session: Session, records: readonly CommitRecord[]): readonly string[] => [
  'Previous Commits:',
  '     Committed On               User   Description',
  '-'.repeat(81),
  ...records.map((record, i) => `${String(i + 1).padStart(2)}. ${described(session, record)}`),
]

/** Stages the whole configuration; false when it is the one that runs. */
const stage = (session: Session, record: CommitRecord): boolean => {
  session.appliance.config.stageRevision(session.draft, record.revision)
  // Accounts stay: a rollback must not bring back an old passphrase, or somebody who was removed.
  session.draft.clear(users.name)
  session.print(`Reverted to ${described(session, record)}`)
  if (session.draft.dirty) return true
  session.print('This is the running configuration: there is no data to commit.')
  return false
}

const commit = async (session: Session, record: CommitRecord): Promise<void> => {
  const { config, time } = session.appliance
  const comment = `Rolled back to ${time.stamp(record.at)}`
  const done = await config.commit(session.draft, { user: session.user.name, comment, keepForRollback: true })
  for (const warning of done.warnings ?? []) session.print(`Warning: ${warning}`)
  session.print('Committed the changes successfully')
}

export default defineCommand({
  name: 'rollbackconfig',
  summary: 'Go back to a configuration that was saved at a commit',
  description:
    'Lists the last ten configurations that a commit saved for rollback, newest first, and brings one of them back: ' +
    'staged as changes of this session, or committed at once. User accounts stay as they are.',
  category: 'configure',
  roles: OPERATORS,
  needsCommit: true,
  forms: [
    {
      usage: USAGE,
      words: [],
      run: async (session, args) => {
        const { words } = readForm(USAGE, args, { min: 1, max: 2 })
        const records = kept(session)
        const number = readValue(integer(1, records.length), words[0] ?? '')
        if (words[1] !== undefined && words[1].toLowerCase() !== 'commit')
          throw misused(`There is nothing to do with '${words[1]}'.`, USAGE)
        const record = records[number - 1] as CommitRecord
        if (stage(session, record) && words[1] !== undefined) await commit(session, record)
      },
    },
  ],
  run: async (session) => {
    const records = kept(session)
    if (records.length === 0) {
      session.print('There are no previous configurations to roll back to.')
      return
    }
    session.print(...table(session, records))
    const number = await session.ask.field('Enter the number of the config to revert to.', integer(1, records.length))
    if (session.draft.dirty) session.print('The changes of this session that are not committed will be lost.')
    if (!(await session.ask.confirm('Are you sure you want to roll back the configuration?', false))) return
    const record = records[number - 1] as CommitRecord
    if (!stage(session, record)) return
    if (await session.ask.confirm('Do you want to commit this configuration now?', false)) await commit(session, record)
  },
})
