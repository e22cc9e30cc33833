import { readMessageId } from '../../core/message-id.ts'
import { readHeaderBlock } from '../message/header-block.ts'
import { SMTP_LIMITS } from './limits.ts'

/** The little that must be known of a message when it is accepted; everything else is the scan worker's. */
export interface HeaderPeek {
  /** With its angle brackets; null = none. */
  readonly messageId: string | null
  /** Raw text of the Subject, folds kept. */
  readonly subject: string
  readonly hops: number
  /** More fields or bytes than the limits allow. */
  readonly tooLong: boolean
}

/** Reads the header, bounded by SMTP_LIMITS, in one pass. The first field of a name counts. */
export const peekHeaders = (bytes: Buffer, maxFields: number = SMTP_LIMITS.headerFields): HeaderPeek => {
  const block = readHeaderBlock(bytes, 0, bytes.length, {
    headers: maxFields,
    headerBytes: SMTP_LIMITS.headerBytes,
  })
  let messageId: string | null = null
  let subject: string | null = null
  let hops = 0
  for (const { name, raw } of block.fields) {
    const field = name.toLowerCase()
    if (field === 'received') hops++
    else if (field === 'message-id') messageId ??= readMessageId(raw)
    else if (field === 'subject') subject ??= utf8(raw).replace(/^[ \t]/, '')
  }
  return { messageId, subject: subject ?? '', hops, tooLong: block.cut }
}

const utf8 = (raw: string): string => Buffer.from(raw, 'latin1').toString('utf8')

/** Whether a line, with its end, is longer than `limit` bytes. A message that is shorter itself is not looked at. */
export const longerLine = (bytes: Buffer, limit: number): boolean => {
  for (let at = 0; bytes.length - at > limit;) {
    const end = bytes.indexOf(10, at)
    if (end < 0 || end - at >= limit) return true
    at = end + 1
  }
  return false
}
