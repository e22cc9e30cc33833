import { UserError } from '../../../core/errors.ts'
import { printableCut } from '../../../core/text.ts'
import { EVERYONE, defineCommand } from '../../command.ts'
import type { Session } from '../../command.ts'
import { findCommand, usageOf } from '../../run.ts'

const listCommands = async (session: Session): Promise<void> => {
  const width = Math.max(...session.commands.map((c) => c.name.length)) + 2
  await session.page([
    ...session.commands.map((c) => `${c.name.padEnd(width)}${c.summary}`),
    '',
    'Type help NAME for the syntax of a command.',
  ])
}

const describe = async (session: Session, name: string): Promise<void> => {
  const entry = findCommand(session.commands, name)
  if (entry === undefined) throw new UserError(`Unknown command or missing feature key: ${printableCut(name, 100)}`)
  const command = await entry.load()
  const aliases = entry.aliases ?? []
  await session.page([
    ...usageOf(command),
    '',
    command.description,
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.join(', ')}.`]),
    ...(command.needsCommit ? ['Its changes act after commit.'] : []),
  ])
}

export default defineCommand({
  name: 'help',
  summary: 'List the commands, or show the syntax of one',
  description: 'Lists the commands that your role may run; with a name, the syntax of that command and what it does.',
  category: 'system',
  roles: EVERYONE,
  needsCommit: false,
  run: listCommands,
  forms: [
    {
      usage: 'help NAME',
      words: [],
      run: async (session, [name = '', ...more]) => {
        if (more.length > 0) throw new UserError('help takes one name. Usage: help [NAME]')
        await describe(session, name)
      },
    },
  ],
})
