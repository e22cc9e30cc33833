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

const local = (name: string): boolean => readSession(name).settings['socket'] === 'no'

/** One session of each command, which runs through the control socket as well. */
export const socketSessions = firsts(sessionFiles.filter((name) => carried(name) && !local(name)))

/** Secrets that are not echoed, and what is asked when a session ends, stand in no transcript of a line. */
const silent = (name: string): boolean => /^(?:passwd|quit|smtpauthconfig)\//.test(name)

/** One session of each command, which runs over SSH as well. */
export const sshSessions = firsts(
  sessionFiles.filter((name) => carried(name) && !silent(name)).sort((a, b) => Number(local(a)) - Number(local(b))),
)
