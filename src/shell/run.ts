import { UserError } from '../core/errors.ts'
import type { Command, CommandEntry, Form, Role, Session } from './command.ts'
import { misused } from './options.ts'

/** The commands that a role may run; the others do not exist for it. */
export const commandsOf = (registry: readonly CommandEntry[], role: Role): readonly CommandEntry[] =>
  registry.filter((entry) => entry.roles.includes(role))

/** A command by its name or alias, in any case. */
export const findCommand = (entries: readonly CommandEntry[], word: string): CommandEntry | undefined => {
  const name = word.toLowerCase()
  return entries.find((e) => e.name === name || e.aliases?.includes(name) === true)
}

/** The form whose words are the longest beginning of `args`; words are taken in any case. */
const matchForm = (forms: readonly Form[], args: readonly string[]): Form | undefined =>
  forms
    .filter((form) => form.words.every((word, i) => args[i]?.toLowerCase() === word.toLowerCase()))
    .sort((a, b) => b.words.length - a.words.length)[0]

/** The lines that `help NAME` shows as syntax. */
export const usageOf = (command: Command): readonly string[] => [
  ...(command.run === undefined ? [] : [command.name]),
  ...(command.forms ?? []).map((form) => form.usage).filter((usage) => usage !== command.name),
]

/**
 * The one entry for all transports: words → a batch form; no words → the dialogue.
 * @throws UserError for an unknown command, for one that the role lacks, and for wrong words.
 */
export const runCommand = async (session: Session, words: readonly string[]): Promise<void> => {
  const [name = '', ...args] = words
  const entry = findCommand(session.commands, name)
  if (entry === undefined) throw new UserError(`Unknown command or missing feature key: ${name}`)
  const command = await entry.load()
  if (args.length === 0 && command.run !== undefined) {
    await command.run(session)
    return
  }
  const form = matchForm(command.forms ?? [], args)
  if (form === undefined) throw wrongWords(command, args)
  await form.run(session, args.slice(form.words.length))
}

const wrongWords = (command: Command, args: readonly string[]): UserError => {
  const usages = usageOf(command)
  if ((command.forms ?? []).length === 0)
    return new UserError(`${command.name} has no batch form; type ${command.name} alone.`)
  const what =
    args.length === 0 ? `${command.name} needs arguments.` : `${command.name}: cannot read '${args.join(' ')}'.`
  return misused(what, usages.join(' | '))
}
