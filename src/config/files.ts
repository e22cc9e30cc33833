import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../core/errors.ts'

/** Files that operators import and export: `<home>/configuration/`. A name is a plain file name: it cannot leave the directory. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,199}$/
const MAX_BYTES = 64 * 1024 * 1024

const directoryOf = (home: string): string => join(home, 'configuration')

/** @throws UserError when `name` is not a plain file name. */
export const configurationPath = (home: string, name: string): string => {
  if (!NAME.test(name))
    throw new UserError(
      'The file name must have only letters, digits and . _ @ + - and must not begin with a dot or hyphen.',
    )
  return join(directoryOf(home), name)
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Plain files in the directory, sorted. */
export const listConfigurationFiles = async (home: string): Promise<readonly string[]> => {
  try {
    const entries = await readdir(directoryOf(home), { withFileTypes: true })
    return entries
      .filter((e) => e.isFile() && NAME.test(e.name))
      .map((e) => e.name)
      .sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

const decodeUtf8 = (name: string, bytes: Uint8Array): string => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return decoder.decode(bytes)
  } catch {
    let line = 1
    for (let from = 0; from < bytes.length; line++) {
      const feed = bytes.indexOf(10, from)
      const to = feed < 0 ? bytes.length : feed
      try {
        decoder.decode(bytes.subarray(from, to))
      } catch {
        break
      }
      from = to + 1
    }
    throw new UserError(`${name}, line ${line}: the text is not in UTF-8. Convert the file and try again.`)
  }
}

/** @throws UserError when there is no such plain file, it is too large, or it is not UTF-8 (with the line). */
export const readConfigurationFile = async (home: string, name: string): Promise<string> => {
  const path = configurationPath(home, name)
  let file
  try {
    // O_NOFOLLOW: a link in the directory must not lead out of it.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') throw new UserError(`There is no file ${name} in ${directoryOf(home)}.`)
    if (code === 'ELOOP') throw new UserError(`${name} is a link; copy the file itself to ${directoryOf(home)}.`)
    if (code === 'EACCES') throw new UserError(`${name} cannot be read: its mode forbids it.`)
    throw error
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new UserError(`${name} is not a plain file.`)
    if (stats.size > MAX_BYTES) throw new UserError(`${name} is larger than ${MAX_BYTES / 1024 / 1024} MB.`)
    return decodeUtf8(name, await file.readFile())
  } finally {
    await file.close()
  }
}

/**
 * Writes a new file whole: it gets its name when it is on stable storage. Answers its path.
 * @throws UserError when a file of that name exists.
 */
export const writeConfigurationFile = async (
  home: string,
  name: string,
  content: Iterable<string> | Uint8Array,
): Promise<string> => {
  const path = configurationPath(home, name)
  await mkdir(directoryOf(home), { recursive: true, mode: 0o700 })
  const draft = join(directoryOf(home), `.${name}.new`)
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    const bytes = content instanceof Uint8Array
    await file.writeFile(bytes ? content : [...content].map((line) => `${line}\n`).join(''))
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new UserError(`A file ${name} exists already; choose another name.`)
    throw error
  } finally {
    await rm(draft, { force: true })
  }
  return path
}
