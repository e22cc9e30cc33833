import { createHash } from 'node:crypto'
import type { Delivery } from '../../store/spool.ts'
import type { MailFile, OpenMail } from './folders.ts'
import { withMail } from './folders.ts'

const HEADER_BYTES = 256 * 1024

export interface Evidence {
  readonly confirmed: boolean
  readonly evidence: string
  /** What the file is, to see after a rename that it was this one. */
  readonly inode: { readonly dev: number; readonly ino: number }
}

/** Header fields in order, unfolded; latin1, so that every byte is one character. */
const headerFields = (head: Buffer): readonly (readonly [name: string, value: string])[] => {
  const text = head.toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length
  const lines = text
    .slice(0, end)
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
  return lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const] : []
  })
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Our own Received line is the topmost one; a sender can write any number of others below it. */
const ourReceived = (fields: ReturnType<typeof headerFields>, id: string): boolean => {
  const top = fields.find(([name]) => name === 'received')?.[1]
  return id !== '' && top !== undefined && new RegExp(`(?:^|[\\s;])id <?${escaped(id)}>?(?=[\\s;]|$)`).test(top)
}

const digest = async (mail: OpenMail): Promise<string> =>
  createHash('sha256')
    .update(await mail.all())
    .digest('hex')

/**
 * Whether the file is the copy that this delivery put there. The Message-ID must be the same byte for byte; since a sender
 * chooses it, that proves nothing alone: name of the delivered file, our Received id or the bytes themselves must agree.
 * null = another message.
 */
export const judgeFile = (file: MailFile, target: Delivery): Promise<Evidence | null> =>
  withMail(file.path, async (mail): Promise<Evidence | null> => {
    const fields = headerFields(await mail.head(HEADER_BYTES))
    const ids = fields.filter(([name]) => name === 'message-id').map(([, value]) => value)
    const wanted = [target.messageId ?? '', Buffer.from(target.messageId ?? '').toString('latin1')]
    if (!ids.some((id) => wanted.includes(id) || wanted.includes(/<[^<>]*>/.exec(id)?.[0] ?? ''))) return null
    const { dev, ino, nlink } = mail.stats
    const found = (confirmed: boolean, evidence: string): Evidence => ({ confirmed, evidence, inode: { dev, ino } })
    // A file with a second name may be somebody else's, linked in here: then only the very bytes count.
    if (nlink === 1) {
      if (target.via === 'maildir' && (file.base === target.location || file.base.startsWith(`${target.location},`)))
        return found(true, 'name of the delivered file')
      if (ourReceived(fields, target.receivedId)) return found(true, 'id in our Received header')
    }
    if ((await digest(mail)) === target.sha256) return found(true, 'the delivered bytes')
    return found(false, 'a message with the same Message-ID, but not the copy that was delivered')
  })
