import type { Env } from '../core/env.ts'
import { Fault } from '../core/errors.ts'
import type { SenderOptions } from '../mail/smtp/mail-parameters.ts'
import { receivedHeader, receivedId } from '../mail/trace.ts'
import type { Direction, NewSpoolEntry, Recipient } from '../store/spool.ts'
import type { ReverseName } from './reverse-dns.ts'
import type { SmtpClientInfo } from './smtp-connection-deps.ts'
import type { Origin } from './smtp-origin.ts'

/** A message as its connection knows it at the end of DATA. */
export interface ReceivedMessage {
  readonly options: SenderOptions
  readonly mid: number
  readonly sender: string
  readonly recipients: readonly Recipient[]
  readonly messageGuid: string
  readonly connectionGuid: string
  readonly direction: Direction
  readonly helo: string
  /** What our Received header says after `with`. */
  readonly protocol: string
  readonly messageId: string | null
  readonly subject: string
  readonly bytes: Buffer
  readonly origin: Origin
  /** A message without a Message-ID gets one. */
  readonly addMessageId: boolean
}

/** What goes into the spool: the Received header tells of the connection, everything else of the message's origin. */
export const spoolEntry = (
  env: Env,
  offsetSeconds: (at: Date) => number,
  client: SmtpClientInfo,
  clientName: ReverseName,
  message: ReceivedMessage,
): NewSpoolEntry => {
  const { mid, origin, options } = message
  const at = env.clock.now()
  const id = receivedId(mid, env.entropy.bytes(8))
  const messageId = message.messageId ?? (message.addMessageId ? `<${id}@${client.hostname}>` : null)
  const received = receivedHeader({
    helo: message.helo,
    remoteAddress: client.remoteAddress,
    reverseHost: clientName.host,
    hostname: client.hostname,
    protocol: message.protocol,
    receivedId: id,
    at,
    offsetSeconds: offsetSeconds(at),
  })
  // Every member by name: a spread of so many costs more than all the rest of the acceptance.
  const entry: NewSpoolEntry = {
    mid,
    rootMid: mid,
    icid: client.icid,
    receivedAt: at,
    listener: client.listener.name,
    direction: message.direction,
    sender: message.sender,
    recipients: message.recipients,
    helo: message.helo,
    remoteAddress: origin.address,
    reverseHost: origin.name.host,
    reverseVerified: origin.name.verified,
    senderGroup: client.admitted.decision.senderGroup,
    connectionGuid: message.connectionGuid,
    messageGuid: message.messageGuid,
    messageId,
    subject: message.subject,
    size: message.bytes.length,
    trace: messageId === message.messageId ? received : `${received}Message-ID: ${messageId}\r\n`,
    state: { kind: 'work', resumeAt: null },
    body: message.bytes,
  }
  return Object.keys(options).length === 0 ? entry : { ...entry, ...options }
}

/** The answer to a message that the spool did not take. */
export const storeRefusal = (error: unknown): string =>
  error instanceof Fault && error.code === 'STORE_FULL'
    ? '452 4.3.1 no room for the message, try again later'
    : '451 4.3.0 the message cannot be stored, try again later'
