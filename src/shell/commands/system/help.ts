import { UserError } from '../../../core/errors.ts'
import { printableCut } from '../../../core/text.ts'
import { EVERYONE, defineCommand } from '../../command.ts'
import type { Command, Session } from '../../command.ts'
import { readExample } from '../../example.ts'
import { findCommand, usageOf } from '../../run.ts'
import { wordForm } from '../../options.ts'

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
  const example = await readExample(command)
  await session.page([
    ...usageOf(command),
    '',
    command.description,
    ...(aliases.length === 0 ? [] : [`Also: ${aliases.join(', ')}.`]),
    ...(command.needsCommit ? ['Its changes act after commit.'] : []),
    ...optionTable(command),
    // Indented: who waits for a prompt at the start of a line is not misled.
    ...(example === null ? [] : ['', 'Example:', '', ...example.lines.map((line) => `  ${line}`.trimEnd())]),
  ])
}

const optionTable = ({ options = {} }: Command): readonly string[] => {
  const width = Math.max(0, ...Object.keys(options).map((option) => option.length)) + 2
  const rows = Object.entries(options).map(([option, about]) => `  ${option.padEnd(width)}${about}`)
  return rows.length === 0 ? [] : ['', 'Options:', ...rows]
}

export default defineCommand({
  name: 'help',
  summary: 'List the commands, or show the syntax of one',
  description:
    'Lists the commands that your role may run; with a name, the syntax of that command, its options, what it does and an example.',
  category: 'system',
  roles: EVERYONE,
  needsCommit: false,
  run: listCommands,
  forms: [wordForm('help NAME', [], 1, (session, [name = '']) => describe(session, name))],
})
