import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'
import { parseSessionFile } from './session-file.ts'

export const sessionFolder = join(root, 'fixtures/sessions')
export const sessionFiles = readdirSync(sessionFolder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.session'))
  .sort()

export const readSession = (name: string) => parseSessionFile(readFileSync(join(sessionFolder, name), 'utf8'))

/** Keys that interrupt come at a moment, not after a line: such a session runs at the script terminal only. */
const carried = (name: string): boolean =>
  !readSession(name).lines.some((line) => line.endsWith('^C') || line.endsWith('^D'))

/** The first of each command. */
const firsts = (names: readonly string[]): ReadonlySet<string> => {
  const command = (name: string): string => name.split('/')[0] ?? ''
  return new Set(names.filter((name, i) => names.findIndex((other) => command(other) === command(name)) === i))
}

/** One session of each command, which runs through the control socket and over SSH as well. */
export const carriedSessions = firsts(sessionFiles.filter(carried))
