import type { Env } from '../core/env.ts'
import type { SenderOptions } from '../mail/smtp/mail-parameters.ts'
import { receivedHeader, receivedId } from '../mail/trace.ts'
import type { Direction, NewSpoolEntry, Recipient } from '../store/spool.ts'
import type { ReverseName } from './reverse-dns.ts'
import type { SmtpClientInfo } from './smtp-connection-deps.ts'
import type { Origin } from './smtp-origin.ts'

/** A message as its connection knows it at the end of DATA. */
export interface ReceivedMessage extends SenderOptions {
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
}

/** What goes into the spool: the Received header tells of the connection, everything else of the message's origin. */
export const spoolEntry = (
  env: Env,
  offsetSeconds: (at: Date) => number,
  client: SmtpClientInfo,
  clientName: ReverseName,
  message: ReceivedMessage,
): NewSpoolEntry => {
  const { origin, protocol, bytes, ...rest } = message
  const at = env.clock.now()
  const trace = receivedHeader({
    helo: message.helo,
    remoteAddress: client.remoteAddress,
    reverseHost: clientName.host,
    hostname: client.hostname,
    protocol,
    receivedId: receivedId(message.mid, env.entropy.bytes(8)),
    at,
    offsetSeconds: offsetSeconds(at),
  })
  return {
    ...rest,
    rootMid: message.mid,
    icid: client.icid,
    receivedAt: at,
    listener: client.listener.name,
    remoteAddress: origin.address,
    reverseHost: origin.name.host,
    reverseVerified: origin.name.verified,
    senderGroup: client.admitted.decision.senderGroup,
    size: bytes.length,
    trace,
    state: { kind: 'work', resumeAt: null },
    body: bytes,
  }
}
