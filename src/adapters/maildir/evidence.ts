import { createHash } from 'node:crypto'
import { readMessageId } from '../../core/message-id.ts'
import { hasOurReceived, headerFields } from '../../remediation/evidence.ts'
import type { Delivery } from '../../store/spool.ts'
import type { MailFile, OpenMail } from './folders.ts'
import { withMail } from './folders.ts'

/** Read first of each file; most headers end in it. */
const FIRST_BYTES = 16 * 1024

/** The name that a delivery of ours gives a file (mail/delivery). */
const DELIVERED = /^\d+\.M\d+R\d+\./

export interface Evidence {
  readonly confirmed: boolean
  readonly evidence: string
  /** What the file is, to see after a rename that it was this one. */
  readonly inode: { readonly dev: number; readonly ino: number }
}

/** The header and what was read behind it: however long a sender made it, it is read to its end. */
const headerOf = async (mail: OpenMail): Promise<Buffer> => {
  for (let bytes = FIRST_BYTES; ; bytes *= 4) {
    const head = await mail.head(bytes)
    if (head.length < bytes || head.includes('\n\r\n') || head.includes('\n\n')) return head
  }
}

const digest = async (mail: OpenMail): Promise<string> =>
  createHash('sha256')
    .update(await mail.all())
    .digest('hex')

/**
 * Whether the file is the copy that this delivery put there. The Message-ID must be the same byte for byte; since a sender
 * chooses it, that proves nothing alone: name of the delivered file, our Received id or the bytes themselves must agree.
 * null = another message. A delivery without a Message-ID is known by the file's name or our Received id alone.
 */
export const judgeFile = (file: MailFile, target: Delivery): Promise<Evidence | null> =>
  withMail(file.path, async (mail): Promise<Evidence | null> => {
    const fields = headerFields(await headerOf(mail))
    const ids = fields.filter(([name]) => name === 'message-id').map(([, value]) => readMessageId(value))
    if (target.messageId === null ? ids.length > 0 : !ids.includes(target.messageId)) return null
    const { dev, ino, nlink } = mail.stats
    const found = (confirmed: boolean, evidence: string): Evidence => ({ confirmed, evidence, inode: { dev, ino } })
    // A file with a second name may be somebody else's, linked in here: then only the very bytes count.
    if (nlink === 1) {
      if (target.via === 'maildir' && (file.base === target.location || file.base.startsWith(`${target.location},`)))
        return found(true, 'name of the delivered file')
      if (hasOurReceived(fields, target.receivedId)) {
        // One message may lie here for several recipients of ours: each delivery answers for its own copy.
        if (DELIVERED.test(file.base) && target.via === 'maildir') return null
        return found(true, 'id in our Received header')
      }
    }
    // Any mail without a Message-ID came so far: nothing but the bytes speaks for it, and those are not asked of them all.
    if (target.messageId === null) return null
    if ((await digest(mail)) === target.sha256) return found(true, 'the delivered bytes')
    return found(false, 'a message with the same Message-ID, but not the copy that was delivered')
  })
