import type { Env } from '../../core/env.ts'
import type { NewSpoolEntry } from '../../store/spool.ts'
import { peekHeaders } from '../smtp/header-peek.ts'
import { generatedHeader, receivedId } from '../trace.ts'

export interface GeneratedMail {
  readonly mid: number
  /** The message it speaks of; its own MID when there is none. */
  readonly rootMid: number
  readonly hostname: string
  readonly offsetSeconds: (at: Date) => number
  /** '' = the null sender. */
  readonly sender: string
  readonly recipients: readonly string[]
  /** Nobody is told what becomes of it (RFC 3461 §6.1: notifications themselves). */
  readonly quiet?: boolean
  readonly bytes: Buffer
}

/** The spool entry of a message that was made here: an alert, a forward, a delivery status notification. */
export const generatedEntry = (mail: GeneratedMail, env: Env): NewSpoolEntry => {
  const at = env.clock.now()
  const { mid, hostname, bytes } = mail
  const { messageId, subject } = peekHeaders(bytes)
  const guid = (): string => Buffer.from(env.entropy.bytes(16)).toString('base64')
  return {
    mid,
    rootMid: mail.rootMid,
    icid: 0,
    receivedAt: at,
    listener: '',
    direction: 'outgoing',
    sender: mail.sender,
    recipients: mail.recipients.map((address, rid) => ({ rid, address, ...(mail.quiet ? { notify: [] } : {}) })),
    helo: hostname,
    remoteAddress: '',
    reverseHost: null,
    reverseVerified: false,
    senderGroup: null,
    connectionGuid: guid(),
    messageGuid: guid(),
    messageId,
    subject,
    size: bytes.length,
    trace: generatedHeader({
      hostname,
      receivedId: receivedId(mid, env.entropy.bytes(8)),
      at,
      offsetSeconds: mail.offsetSeconds(at),
    }),
    state: { kind: 'queued' },
    body: bytes,
  }
}
