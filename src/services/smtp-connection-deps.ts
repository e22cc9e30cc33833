import type { Listener } from '../config/sections/listeners.ts'
import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import type { EventBus } from '../events/bus.ts'
import type { BoundListener } from '../mail/smtp/bound-listener.ts'
import type { Counters, Direction, SpoolStore } from '../store/spool.ts'
import type { CallAhead } from './call-ahead.ts'
import type { LingeringSockets } from './lingering-sockets.ts'
import type { RecipientLimit } from './recipient-limit.ts'
import type { SenderDomains } from './sender-domain.ts'
import type { Admitted, Identity } from './smtp-admission.ts'
import type { ListenerTls } from './smtp-tls.ts'
import type { SmtpUsers } from './smtp-users.ts'

/** What is known of a message once its sender has been named, before any recipient. */
export interface Envelope {
  readonly mid: number
  readonly icid: number
  /** '' = the null sender. */
  readonly sender: string
  readonly helo: string
  readonly remoteAddress: string
  readonly reverseHost: string | null
  readonly reverseVerified: boolean
  readonly direction: Direction
  /** Its mail-flow policy asks for sender reputation. */
  readonly sdr: boolean
}

export interface SmtpConnectionDeps {
  readonly env: Env
  readonly config: ConfigReader
  readonly events: EventBus
  readonly ids: Counters
  readonly spool: Pick<SpoolStore, 'accept'>
  /** Seconds east of UTC, for the date of our Received header. */
  readonly offsetSeconds: (at: Date) => number
  readonly tls: (listener: Listener) => ListenerTls
  readonly senders: SenderDomains
  readonly limit: RecipientLimit
  /** Who a client is of whom an incoming relay tells; look-ups of a second at most, never rejects. */
  readonly identify: (address: string) => Promise<Identity>
  /** Without it nobody can authenticate. */
  readonly users?: Pick<SmtpUsers, 'check'> | undefined
  /** Whether an address has an embedded mailbox; without it nobody has. */
  readonly mailboxExists?: ((address: string) => Promise<boolean>) | undefined
  /** Asks next hops for recipients; without it a listener that wants it takes none for now. */
  readonly callAhead?: Pick<CallAhead, 'validate'> | undefined
  /** Awaited after MAIL FROM (sender reputation); a rejection is ignored. */
  readonly onEnvelope?: ((envelope: Envelope, signal: AbortSignal) => Promise<void>) | undefined
  /** A message is on stable storage; its answer is on its way. */
  readonly onAccepted: (mid: number) => void
  /** Memory that the messages of all connections hold, and how many of them use TLS. */
  readonly budget: { held: number; secure: number }
  readonly lingering: LingeringSockets
}

export interface SmtpClientInfo {
  readonly icid: number
  readonly listener: BoundListener
  readonly hostname: string
  readonly admitted: Admitted
  readonly remoteAddress: string
}
