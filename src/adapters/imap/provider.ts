import type { ImapServer } from '../../config/sections/imap-mailboxes.ts'
import type { Clock } from '../../core/clock.ts'
import { errorText } from '../../core/errors.ts'
import { readMessageId } from '../../core/message-id.ts'
import { hasOurReceived, headerFields } from '../../remediation/evidence.ts'
import type { Forwarder, Found, MailboxProvider, RemedyOutcome } from '../../remediation/ports.ts'
import type { Delivery } from '../../store/spool.ts'
import type { HoldArea } from '../maildir/hold.ts'
import { inMailbox } from './session.ts'
import type { ImapMail, ImapSession } from './session.ts'

const GONE = { status: 'not-found', detail: 'The message is not in the mailbox any more.' } as const
const NO_SERVER = { status: 'failed', detail: 'The mailbox profile has no IMAP server.' } as const

const idOf = ({ folder, validity, uid }: ImapMail): string => `${validity}:${uid}:${folder}`

interface Judged {
  readonly mail: ImapMail
  readonly confirmed: boolean
}

const failure = (error: unknown): RemedyOutcome => {
  const { authenticationFailed = false, throttleReset } = error as {
    readonly authenticationFailed?: boolean
    readonly throttleReset?: number
  }
  const detail = authenticationFailed ? 'The IMAP server refused the login.' : `IMAP: ${errorText(error)}`
  if (throttleReset !== undefined) return { status: 'throttled', detail, retryAfterMs: throttleReset }
  return { status: authenticationFailed ? 'forbidden' : 'failed', detail }
}

/** Null = another message: the server finds parts of a Message-ID, and without regard to case. */
const judge = (mail: ImapMail, target: Delivery): Judged | null => {
  const fields = headerFields(mail.head)
  const ids = fields.filter(([name]) => name === 'message-id').map(([, value]) => readMessageId(value))
  if (target.messageId === null || !ids.includes(target.messageId)) return null
  return { mail, confirmed: hasOurReceived(fields, target.receivedId) }
}

/**
 * Mailboxes of an IMAP server behind the next hop. What is deleted is first kept in the hold area here, then taken out by its
 * UID; a call that a crash cut short between the two goes on with the second.
 */
export const createImapProvider = (deps: {
  /** The server of a profile; undefined = none is set. */
  readonly server: (profile: string) => ImapServer | undefined
  readonly hold: HoldArea
  readonly clock: Clock
  readonly forwarder: Forwarder
}): MailboxProvider => {
  const { hold, clock, forwarder } = deps

  /** Copies with the delivery's Message-ID, through every folder. */
  const copies = async function* (
    session: ImapSession,
    target: Delivery,
    folders?: readonly string[],
  ): AsyncGenerator<Judged> {
    for (const folder of folders ?? (await session.folders()))
      for (const mail of await session.matching(folder, target.messageId ?? '')) {
        const judged = judge(mail, target)
        if (judged) yield judged
      }
  }

  /** Where the copy lies now: where it was found, else wherever the user moved it. */
  const locate = async (session: ImapSession, id: string, target: Delivery): Promise<ImapMail | null> => {
    let moved: ImapMail | null = null
    for await (const { mail, confirmed } of copies(session, target)) {
      if (!confirmed) continue
      if (idOf(mail) === id) return mail
      moved ??= mail
    }
    return moved
  }

  const ofProfile = (profile: string): MailboxProvider => {
    const opened = async <T>(mailbox: string, s: AbortSignal, work: (session: ImapSession) => Promise<T>) => {
      const server = deps.server(profile)
      if (!server) throw new Error(NO_SERVER.detail)
      return await inMailbox(server, mailbox, s, work)
    }

    return {
      kind: 'imap',
      probe: async (mailbox, signal) => {
        try {
          const folders = await opened(mailbox, signal, (session) => session.folders())
          return { ok: true, detail: `The mailbox is there and has ${folders.length} folders.` }
        } catch (error) {
          signal.throwIfAborted()
          const outcome = failure(error)
          return { ok: false, detail: outcome.status === 'done' ? '' : outcome.detail }
        }
      },
      find: async function* (target, signal): AsyncGenerator<Found> {
        if (target.messageId === null) return
        const found = await opened(target.recipient, signal, async (session) => {
          const all: Found[] = []
          for await (const { mail, confirmed } of copies(session, target)) {
            signal.throwIfAborted()
            const evidence = confirmed
              ? 'id in our Received header'
              : 'a message with the same Message-ID, but not the copy that was delivered'
            all.push({
              mailbox: target.recipient,
              id: idOf(mail),
              folder: session.shown(mail.folder),
              confirmed,
              evidence,
            })
          }
          return all
        })
        yield* found
      },
      remedy: async (found, remedy, target, signal) => {
        try {
          if (!found.confirmed) return { status: 'failed', detail: 'The copy is not confirmed.' }
          const key = hold.key(target, found.id)
          const kept = await hold.find(key)
          return await opened(target.recipient, signal, async (session): Promise<RemedyOutcome> => {
            const mail = await locate(session, found.id, target)
            // Held, and still there under its own name: a crash came between the two. Elsewhere it is another copy.
            if (kept !== null && (mail === null || idOf(mail) !== found.id)) return { status: 'done', held: kept }
            const copy = mail && (await session.whole(mail))
            if (!mail || !copy) return GONE
            if (remedy.kind === 'forward') {
              const once = `remediation-forward M${target.mid}R${target.rid} ${remedy.to}`
              await forwarder.forward(once, remedy.to, copy.bytes, target, signal)
              if (!remedy.thenDelete) return { status: 'done', held: null }
            }
            const { flags, at } = copy
            const origin = { mailbox: found.mailbox, folder: mail.folder, part: 'cur', name: idOf(mail) } as const
            const held =
              kept ?? (await hold.put(key, copy.bytes, { ...origin, flags, receivedAt: at.toISOString() }, clock.now()))
            signal.throwIfAborted()
            if (await session.expunge(mail)) return { status: 'done', held }
            await hold.forget(held)
            return { status: 'forbidden', detail: 'The IMAP server cannot delete one message alone (no UIDPLUS).' }
          })
        } catch (error) {
          signal.throwIfAborted()
          return failure(error)
        }
      },
      undo: async (held, target, signal) => {
        try {
          signal.throwIfAborted()
          const origin = await hold.origin(held)
          if (origin === null)
            return { status: 'not-found', detail: 'The hold area does not keep the message any more.' }
          const bytes = await hold.read(held)
          await opened(target.recipient, signal, async (session) => {
            const folders = await session.folders()
            const folder = folders.includes(origin.folder) ? origin.folder : 'INBOX'
            // A crash between the two steps left it there.
            for await (const { confirmed } of copies(session, target, [folder])) if (confirmed) return
            await session.append(folder, bytes, origin.flags ?? [], new Date(origin.receivedAt ?? target.deliveredAt))
          })
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
  // What needs no server needs no profile.
  return { ...ofProfile(''), forProfile: ofProfile }
}
