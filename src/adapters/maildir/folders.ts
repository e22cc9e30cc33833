import { constants } from 'node:fs'
import type { Stats } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A message file as it lies now. `base` stays when readers set flags or move it from new to cur. */
export interface MailFile {
  /** '' = the inbox; `.Archive.2022` = a Maildir++ folder. */
  readonly folder: string
  readonly part: 'new' | 'cur'
  readonly name: string
  readonly base: string
  readonly path: string
}

const MAX_FOLDERS = 10_000

export const errorCode = (error: unknown): string => (error as { readonly code?: string }).code ?? ''

const status = async (path: string): Promise<Stats | null> => {
  try {
    return await lstat(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return null
    throw error
  }
}

/** Every step below `root` is a directory of its own: a link that somebody planted on the way is never followed. */
export const ownDirectory = async (root: string, below: string): Promise<boolean> => {
  let path = root
  for (const step of below.split('/').filter((s) => s !== '')) {
    path = join(path, step)
    if ((await status(path))?.isDirectory() !== true) return false
  }
  return true
}

export const baseName = (name: string): string => name.split(':', 1)[0] ?? name

/** The inbox and the Maildir++ folders of a mailbox, links left out. */
const folders = async (root: string, mailbox: string): Promise<readonly string[]> => {
  const entries = await readdir(join(root, mailbox), { withFileTypes: true })
  const named = entries.filter((e) => e.isDirectory() && e.name.startsWith('.')).map((e) => e.name)
  return ['', ...named.sort().slice(0, MAX_FOLDERS)]
}

/** Every file of the mailbox that may be a message. Nothing when there is no such mailbox. */
export const mailFiles = async function* (root: string, mailbox: string): AsyncGenerator<MailFile> {
  if (!(await ownDirectory(root, mailbox))) return
  for (const folder of await folders(root, mailbox))
    for (const part of ['new', 'cur'] as const) {
      const below = `${mailbox}/${folder}/${part}`
      if (!(await ownDirectory(root, below))) continue
      const directory = join(root, below)
      const names = await readdir(directory).catch((error: unknown) => {
        if (errorCode(error) === 'ENOENT') return []
        throw error
      })
      for (const name of names)
        if (!name.startsWith('.')) yield { folder, part, name, base: baseName(name), path: join(directory, name) }
    }
}

export interface OpenMail {
  readonly stats: Stats
  head(bytes: number): Promise<Buffer>
  all(): Promise<Buffer>
}

/** Opens a regular file without following a link, and closes it. null = gone, or no regular file. */
export const withMail = async <T>(path: string, read: (mail: OpenMail) => Promise<T>): Promise<T | null> => {
  let handle
  try {
    // O_NONBLOCK: a planted FIFO must not hold the search up.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes(errorCode(error))) return null
    throw error
  }
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return null
    const bytes = async (length: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    }
    return await read({ stats, head: (n) => bytes(Math.min(n, stats.size)), all: () => bytes(stats.size) })
  } finally {
    await handle.close()
  }
}

export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
