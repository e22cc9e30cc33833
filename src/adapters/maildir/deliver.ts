import { link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mailboxPath } from '../../core/mailbox-path.ts'
import type { MailboxWriter } from '../../mail/delivery/transport.ts'

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const writeSynced = async (path: string, bytes: Buffer): Promise<void> => {
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the Maildir and puts every new name on its way to it on stable storage. */
const makeMaildir = async (root: string, mailbox: string): Promise<void> => {
  for (const part of ['tmp', 'new', 'cur']) await mkdir(join(mailbox, part), { recursive: true, mode: 0o700 })
  for (let path = mailbox; path.startsWith(root); path = dirname(path)) await syncDirectory(path)
  await syncDirectory(dirname(root))
}

/**
 * Delivers into the Maildirs under `root`: written and synced in `tmp`, then linked into `new`. A link that exists already
 * is this delivery, made before a crash; so it is never doubled.
 */
export const createMailboxWriter = (root: string): MailboxWriter => {
  const known = new Set<string>()
  /** The reader has taken it from `new` to `cur`, where it carries flags. */
  const inCur = async (mailbox: string, name: string): Promise<boolean> =>
    (await readdir(join(mailbox, 'cur'))).some((file) => file === name || file.startsWith(`${name}:`))

  const deliver: MailboxWriter['deliver'] = async (recipient, name, bytes, again) => {
    const mailbox = join(root, mailboxPath(recipient))
    if (!known.has(mailbox)) {
      await makeMaildir(root, mailbox)
      known.add(mailbox)
    }
    if (again && (await inCur(mailbox, name))) return
    const temporary = join(mailbox, 'tmp', name)
    await writeSynced(temporary, bytes)
    try {
      await link(temporary, join(mailbox, 'new', name))
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      await unlink(temporary).catch(() => undefined)
    }
    await syncDirectory(join(mailbox, 'new'))
  }
  return {
    deliver: async (recipient, name, bytes, again) => {
      try {
        await deliver(recipient, name, bytes, again)
      } catch (error) {
        // Somebody removed the mailbox while we run: make it anew.
        const mailbox = join(root, mailboxPath(recipient))
        if ((error as { code?: string }).code !== 'ENOENT' || !known.delete(mailbox)) throw error
        if (
          await stat(mailbox).then(
            (s) => !s.isDirectory(),
            () => false,
          )
        )
          throw error
        await deliver(recipient, name, bytes, again)
      }
    },
  }
}

/** Whether anything was ever delivered to an address here, or an operator made its Maildir. */
export const mailboxExists = async (root: string, address: string): Promise<boolean> =>
  await stat(join(root, mailboxPath(address))).then(
    (s) => s.isDirectory(),
    () => false,
  )
