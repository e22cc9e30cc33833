import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface Mail {
  readonly path: string
  readonly bytes: Buffer
}

/** Paths of every message in the embedded Maildirs of a home (`new` and `cur` of every folder). */
export const mailPaths = (home: string): readonly string[] => {
  const folder = join(home, 'mailboxes')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && ['new', 'cur'].includes(basename(e.parentPath)))
    .map((e) => join(e.parentPath, e.name))
    .sort()
}

export const delivered = (home: string): readonly Mail[] =>
  mailPaths(home).flatMap((path) => (existsSync(path) ? [{ path, bytes: readFileSync(path) }] : []))

/** `new/1.0.mail` for a listing. */
export const shortName = (mail: Mail): string => join(basename(dirname(mail.path)), basename(mail.path))
