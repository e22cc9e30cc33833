import type { TlsMode } from '../../config/sections/destinations.ts'

/** Ports of the ways out: an SMTP client and the embedded mailboxes. */

export interface SmtpTarget {
  readonly address: string
  readonly port: number
  /** The host's name, for TLS (SNI); the address itself when the route names one. */
  readonly host: string
}

/** What became of one recipient in one attempt. */
export type AttemptResult = { readonly ok: true; readonly response: string } | ({ readonly ok: false } & Failure)

/** `code` is the SMTP reply's, `000` when there was none; `status` is RFC 3463. */
export interface Failure {
  readonly permanent: boolean
  readonly code: string
  readonly status: string
  readonly response: string
  /** The host that said so. */
  readonly remote?: string
}

export interface OutgoingMessage {
  readonly sender: string
  readonly recipients: readonly string[]
  readonly bytes: Buffer
}

export interface SmtpSending {
  readonly interfaceAddress: string
  /** `verified`: the certificate is the host's, by an authority that is trusted here. */
  readonly tls: { readonly protocol: string; readonly cipher: string; readonly verified: boolean } | null
  /** Why an offered STARTTLS did not come about; null when it did or was not offered. */
  readonly tlsFailure: string | null
  /** One result per recipient, in their order. Never rejects; after a broken connection or the signal `alive` is false. */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<readonly AttemptResult[]>
  readonly alive: boolean
  /** Whether the host still answers (RSET): asked of a connection that was kept open. Never rejects. */
  check(signal: AbortSignal): Promise<boolean>
  quit(): void
}

export interface SmtpClientOptions {
  /** Said in EHLO. */
  readonly hostname: string
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly tls: TlsMode
}

export interface SmtpClient {
  /** @throws ConnectFailure */
  connect(target: SmtpTarget, options: SmtpClientOptions, signal: AbortSignal): Promise<SmtpSending>
}

/** No session came about with this host. */
export class ConnectFailure extends Error {
  override name = 'ConnectFailure'
  readonly failure: Failure
  /** Why TLS, which was required, did not come about; null when it was not for that. */
  readonly tlsFailure: string | null
  constructor(failure: Failure, tlsFailure: string | null = null) {
    super(failure.response)
    this.failure = failure
    this.tlsFailure = tlsFailure
  }
}

/** The embedded Maildirs. */
export interface MailboxWriter {
  /**
   * Durable when it resolves. `name` is the same for every attempt; a file of that name that is there already is this
   * delivery. `again`: an earlier attempt may have succeeded unrecorded, so the reader may have moved it since.
   */
  deliver(recipient: string, name: string, bytes: Buffer, again: boolean): Promise<void>
}
