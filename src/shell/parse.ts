import { UserError } from '../core/errors.ts'

/** A line longer than this is refused: no command needs it, a paste accident does. */
const MAX_LINE = 65_536

/**
 * Splits a command line into commands at `;` and each command into words at blanks.
 * `"…"` and `'…'` keep blanks and `;`. Inside double quotes `\"` is a quotation mark; every other backslash stays,
 * so that regular expressions need no doubling. An empty pair of quotes is an empty word.
 * @throws UserError when a quotation mark is not closed.
 */
export const splitCommands = (line: string): readonly (readonly string[])[] => {
  if (line.length > MAX_LINE) throw new UserError(`The command line has more than ${MAX_LINE} characters.`)
  const commands: string[][] = [[]]
  let word: string | null = null
  const endWord = (): void => {
    if (word !== null) commands.at(-1)?.push(word)
    word = null
  }
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i)
    if (c === '"' || c === "'") {
      const quoted = readQuoted(line, i)
      word = (word ?? '') + quoted.text
      i = quoted.end
    } else if (c === ';') {
      endWord()
      commands.push([])
    } else if (/\s/.test(c)) {
      endWord()
    } else {
      word = (word ?? '') + c
    }
  }
  endWord()
  return commands.filter((words) => words.length > 0)
}

/** Text between the quotation mark at `start` and its partner at `end`. */
const readQuoted = (line: string, start: number): { readonly text: string; readonly end: number } => {
  const quote = line.charAt(start)
  let text = ''
  for (let i = start + 1; i < line.length; i++) {
    const c = line.charAt(i)
    if (c === quote) return { text, end: i }
    if (quote === '"' && c === '\\' && line.charAt(i + 1) === '"') {
      text += '"'
      i++
    } else {
      text += c
    }
  }
  throw new UserError(`A quotation mark (${quote}) is not closed.`)
}

/** The word that a TAB would go on with, and the words before it in the last command of the line. */
export const splitForCompletion = (line: string): { readonly before: readonly string[]; readonly part: string } => {
  const last = line.split(';').at(-1) ?? ''
  const words = last.split(/\s+/).filter((w) => w !== '')
  const part = /\s$/.test(last) || words.length === 0 ? '' : (words.pop() ?? '')
  return { before: words, part }
}
