import type { Command, Session } from './command.ts'
import { splitForCompletion } from './parse.ts'
import { findCommand } from './run.ts'

/** What the last word of `line` may become: command names, then the words of that command's batch forms. */
export const completeLine = async (session: Session, line: string): Promise<readonly string[]> => {
  const { before, part } = splitForCompletion(line)
  const [name, ...words] = before
  const starts = (candidate: string): boolean => candidate.toLowerCase().startsWith(part.toLowerCase())
  const names = (): readonly string[] => session.commands.map((c) => c.name).filter(starts)
  if (name === undefined) return names()
  const entry = findCommand(session.commands, name)
  if (entry === undefined) return []
  if (entry.name === 'help') return words.length === 0 ? names() : []
  const command = await entry.load()
  const next = [...nextWords(command, words), ...(command.complete?.(session, words) ?? [])]
  return [...new Set(next.filter(starts))].sort()
}

/** The words by which a form that agrees with `words` goes on. */
const nextWords = (command: Command, words: readonly string[]): readonly string[] =>
  (command.forms ?? []).flatMap((form) => {
    const agrees = words.every((word, i) => form.words[i]?.toLowerCase() === word.toLowerCase())
    const next = form.words[words.length]
    return agrees && next !== undefined ? [next] : []
  })
