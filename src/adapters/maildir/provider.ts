import { link, lstat, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { errorText } from '../../core/errors.ts'
import { mailboxPath } from '../../core/mailbox-path.ts'
import type { Forwarder, Found, MailboxProvider, RemedyOutcome } from '../../remediation/ports.ts'
import type { Delivery } from '../../store/spool.ts'
import { judgeFile } from './evidence.ts'
import type { Evidence } from './evidence.ts'
import { errorCode, mailFiles, ownDirectory, syncDirectory, withMail } from './folders.ts'
import type { MailFile } from './folders.ts'
import { createHoldArea } from './hold.ts'

/** A reader may rename a file (flags, new → cur, another folder) between our look and our touch: look again so often. */
const CHASES = 8

const folderName = (folder: string): string => (folder === '' ? 'INBOX' : folder.slice(1).replaceAll('.', '/'))

const failure = (error: unknown): RemedyOutcome => {
  const detail = errorText(error)
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))
    ? { status: 'forbidden', detail }
    : { status: 'failed', detail }
}

/** The embedded mailboxes under `<home>/mailboxes`, with `<home>/hold` for what was deleted. Both on one file system. */
export const createMaildirProvider = (deps: {
  readonly mailboxes: string
  readonly hold: string
  readonly clock: Clock
  readonly forwarder: Forwarder
}): MailboxProvider => {
  const { mailboxes, clock, forwarder } = deps
  const hold = createHoldArea(deps.hold)

  /** Confirmed and doubtful copies, as they lie now. */
  const copies = async function* (
    target: Delivery,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly file: MailFile; readonly judged: Evidence }> {
    for await (const file of mailFiles(mailboxes, mailboxPath(target.recipient))) {
      signal.throwIfAborted()
      const judged = await judgeFile(file, target)
      if (judged) yield { file, judged }
    }
  }

  const idOf = (file: MailFile): string => `${file.folder}/${file.base}`

  /** Where the copy lies now: in its folder, else wherever the user moved it. */
  const locate = async (id: string, target: Delivery, signal: AbortSignal) => {
    let moved: { readonly file: MailFile; readonly judged: Evidence } | null = null
    for await (const file of mailFiles(mailboxes, mailboxPath(target.recipient))) {
      signal.throwIfAborted()
      if (!id.endsWith(`/${file.base}`)) continue
      const judged = await judgeFile(file, target)
      if (!judged?.confirmed) continue
      if (idOf(file) === id) return { file, judged }
      moved ??= { file, judged }
    }
    return moved
  }

  const forward = async (file: MailFile, to: string, target: Delivery, signal: AbortSignal): Promise<boolean> => {
    const original = await withMail(file.path, (mail) => mail.all())
    if (original === null) return false
    const key = `remediation-forward M${target.mid}R${target.rid} ${to}`
    await forwarder.forward(key, to, original, target, signal)
    return true
  }

  return {
    kind: 'maildir',
    findsWithoutId: true,
    probe: async (mailbox) => {
      const ok = await ownDirectory(mailboxes, mailboxPath(mailbox))
      return { ok, detail: ok ? 'The mailbox is there.' : 'There is no such mailbox.' }
    },
    find: async function* (target, signal): AsyncGenerator<Found> {
      for await (const { file, judged } of copies(target, signal)) {
        const { confirmed, evidence } = judged
        const folder = folderName(file.folder)
        yield { mailbox: target.recipient, id: idOf(file), folder, confirmed, evidence }
      }
    },
    remedy: async (found, remedy, target, signal) => {
      try {
        if (!found.confirmed) return { status: 'failed', detail: 'The copy is not confirmed.' }
        const key = hold.key(target, found.id)
        const held = await hold.find(key)
        if (held !== null) return { status: 'done', held }
        for (let chase = 0; chase < CHASES; chase++) {
          const copy = await locate(found.id, target, signal)
          if (!copy) return { status: 'not-found', detail: 'The message is not in the mailbox any more.' }
          const { file, judged } = copy
          if (remedy.kind === 'forward' && !(await forward(file, remedy.to, target, signal))) continue
          if (remedy.kind === 'forward' && !remedy.thenDelete) return { status: 'done', held: null }
          const isIt = (i: Evidence['inode']): boolean => i.dev === judged.inode.dev && i.ino === judged.inode.ino
          try {
            return { status: 'done', held: await hold.take(key, file, found.mailbox, clock.now(), isIt) }
          } catch (error) {
            if (errorCode(error) !== 'ENOENT') throw error
          }
        }
        return { status: 'failed', detail: 'The message is moved faster than it can be handled.' }
      } catch (error) {
        signal.throwIfAborted()
        return failure(error)
      }
    },
    undo: async (held, target, signal) => {
      try {
        signal.throwIfAborted()
        const gone = { status: 'not-found', detail: 'The hold area does not keep the message any more.' } as const
        const origin = await hold.origin(held)
        if (origin === null) return gone
        const mailbox = mailboxPath(target.recipient)
        if (!(await ownDirectory(mailboxes, mailbox)))
          return { status: 'failed', detail: 'There is no such mailbox any more.' }
        const folder = (await ownDirectory(mailboxes, `${mailbox}/${origin.folder}`)) ? origin.folder : ''
        const directory = join(mailboxes, mailbox, folder, origin.part)
        await mkdir(directory, { recursive: true, mode: 0o700 })
        if (!(await ownDirectory(mailboxes, `${mailbox}/${folder}/${origin.part}`)))
          return { status: 'failed', detail: 'The folder is not a directory of its own.' }
        const path = join(directory, origin.name)
        const from = hold.path(held)
        const message = await lstat(from)
        try {
          // A link refuses to overwrite; a restart between link and clean-up finds its own file there.
          await link(from, path)
        } catch (error) {
          if (errorCode(error) !== 'EEXIST') throw error
          if ((await lstat(path)).ino !== message.ino)
            return { status: 'failed', detail: `Another message has the name ${origin.name} in the mailbox.` }
        }
        await syncDirectory(dirname(path))
        await hold.forget(held)
        return { status: 'done', held: null }
      } catch (error) {
        signal.throwIfAborted()
        return failure(error)
      }
    },
    pruneHeld: (before) => hold.prune(before),
  }
}
