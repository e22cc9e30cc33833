import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface Mail {
  readonly path: string
  readonly bytes: Buffer
}

/** Every message in the embedded Maildirs of a home (`new` and `cur` of every folder). */
export const delivered = (home: string, below = 'mailboxes'): readonly Mail[] => {
  const folder = join(home, below)
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && ['new', 'cur'].includes(basename(e.parentPath)))
    .map((e) => join(e.parentPath, e.name))
    .sort()
    .flatMap((path) => (existsSync(path) ? [{ path, bytes: readFileSync(path) }] : []))
}

/** `new/1.0.mail` for a listing. */
export const shortName = (mail: Mail): string => join(basename(dirname(mail.path)), basename(mail.path))
