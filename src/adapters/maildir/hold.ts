import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Delivery } from '../../store/spool.ts'
import { errorCode, syncDirectory } from './folders.ts'
import type { MailFile } from './folders.ts'

/** Where a held message came from, kept beside it. */
export interface HeldOrigin {
  readonly folder: string
  readonly part: 'new' | 'cur'
  readonly name: string
  readonly mailbox: string
  /** Of a mailbox that keeps them beside the message and not in its name. */
  readonly flags?: readonly string[]
  readonly receivedAt?: string
}

/** `<home>/hold/<date>/<key>/{message,origin.json}`; the key follows from the delivery and the copy, never from the time. */
export interface HoldArea {
  key(target: Delivery, id: string): string
  /** The held copy's name, when this copy is held already. */
  find(key: string): Promise<string | null>
  /** Moves the file in with one rename. @returns the held copy's name */
  take(key: string, file: MailFile, mailbox: string, at: Date, isIt: (inode: Inode) => boolean): Promise<string>
  /** Keeps bytes that are about to leave a mailbox elsewhere; on stable storage when it resolves. @returns the held copy's name */
  put(key: string, bytes: Uint8Array, origin: HeldOrigin, at: Date): Promise<string>
  path(held: string): string
  read(held: string): Promise<Buffer>
  origin(held: string): Promise<HeldOrigin | null>
  forget(held: string): Promise<void>
  prune(before: Date): Promise<number>
}

interface Inode {
  readonly dev: number
  readonly ino: number
}

const HELD = /^\d{4}-\d\d-\d\d\/M\d+R\d+-[0-9a-f]{24}$/
const DAY = /^\d{4}-\d\d-\d\d$/
const DAY_MS = 24 * 3600_000

const writeSynced = async (path: string, text: string | Uint8Array): Promise<void> => {
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const names = async (path: string): Promise<readonly string[]> => {
  try {
    return await readdir(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

const exists = async (path: string): Promise<boolean> => {
  try {
    return (await lstat(path)).isFile()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

export const createHoldArea = (root: string): HoldArea => {
  const days = async (): Promise<readonly string[]> => (await names(root)).filter((n) => DAY.test(n)).sort()
  const message = (held: string): string => join(root, held, 'message')
  return {
    key: ({ mid, rid }, id) => `M${mid}R${rid}-${createHash('sha256').update(id).digest('hex').slice(0, 24)}`,
    find: async (key) => {
      for (const day of await days()) if (await exists(message(`${day}/${key}`))) return `${day}/${key}`
      return null
    },
    take: async (key, file, mailbox, at, isIt) => {
      const day = at.toISOString().slice(0, 10)
      const directory = join(root, day, key)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const origin: HeldOrigin = { mailbox, folder: file.folder, part: file.part, name: file.name }
      // The way back is on stable storage before the message leaves its mailbox.
      await writeSynced(join(directory, 'origin.json'), JSON.stringify(origin))
      for (const d of [directory, join(root, day), root]) await syncDirectory(d)
      const to = join(directory, 'message')
      try {
        await rename(file.path, to)
      } catch (error) {
        // Unless a message lies here: another attempt at the same copy may have been quicker.
        if (!(await exists(to))) await rm(directory, { recursive: true, force: true })
        throw error
      }
      if (!isIt(await lstat(to))) {
        await rename(to, file.path)
        await rm(directory, { recursive: true, force: true })
        throw new Error('another file took the name of the message')
      }
      await syncDirectory(directory)
      await syncDirectory(join(file.path, '..'))
      return `${day}/${key}`
    },
    put: async (key, bytes, origin, at) => {
      const day = at.toISOString().slice(0, 10)
      const directory = join(root, day, key)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeSynced(join(directory, 'origin.json'), JSON.stringify(origin))
      // Under its name only when it is whole: `find` must not meet half a message.
      await writeSynced(join(directory, 'message.new'), bytes)
      await rename(join(directory, 'message.new'), join(directory, 'message'))
      for (const d of [directory, join(root, day), root]) await syncDirectory(d)
      return `${day}/${key}`
    },
    path: message,
    read: (held) => readFile(message(held)),
    origin: async (held) => {
      if (!HELD.test(held) || !(await exists(join(root, held, 'origin.json')))) return null
      return JSON.parse(await readFile(join(root, held, 'origin.json'), 'utf8')) as HeldOrigin
    },
    forget: async (held) => {
      await rm(join(root, held), { recursive: true, force: true })
      await syncDirectory(join(root, held, '..'))
    },
    prune: async (before) => {
      let ended = 0
      for (const day of await days()) {
        if (Date.parse(`${day}T00:00:00Z`) + DAY_MS > before.getTime()) continue
        ended += (await names(join(root, day))).length
        await rm(join(root, day), { recursive: true, force: true })
      }
      return ended
    },
  }
}
