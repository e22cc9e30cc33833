import type { DsnOccasion, DsnReturn } from '../../store/spool.ts'
import type { Tlsa } from './tlsa.ts'

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

export interface OutgoingRecipient {
  readonly address: string
  /** NOTIFY (RFC 3461 §4.1) as the client gave it; empty = NEVER, absent = not given. */
  readonly notify?: readonly DsnOccasion[]
  /** ORCPT as the client gave it, xtext and all. */
  readonly orcpt?: string
}

export interface OutgoingMessage {
  readonly sender: string
  readonly recipients: readonly OutgoingRecipient[]
  readonly bytes: Buffer
  /** The host is only asked for its recipients: the transaction ends behind them, no message follows. */
  readonly envelopeOnly?: boolean
  /** It came with SMTPUTF8, so its header may need it on the way. */
  readonly utf8?: boolean
  readonly ret?: DsnReturn
  /** xtext. */
  readonly envid?: string
}

/** What TLS session came about. */
export interface TlsFacts {
  readonly protocol: string
  readonly cipher: string
  /** The certificate is for a name that was demanded, by an authority that is trusted here. */
  readonly verified: boolean
  /** Why it is not; null when it is, or when nobody asked. */
  readonly problem: string | null
}

export interface SmtpSending {
  readonly interfaceAddress: string
  readonly tls: TlsFacts | null
  /** Why an offered STARTTLS did not come about; null when it did or was not offered. */
  readonly tlsFailure: string | null
  /** The host takes over what was asked about notifications (RFC 3461). */
  readonly dsn: boolean
  /**
   * One result per recipient, in their order; null = a kept connection was gone before the host heard of the message. Never
   * rejects; after a broken connection or the signal `alive` is false.
   */
  send(message: OutgoingMessage, signal: AbortSignal): Promise<readonly AttemptResult[] | null>
  readonly alive: boolean
  quit(): void
}

/** What is asked of TLS with one host. */
export interface TlsDemand {
  readonly use: 'no' | 'preferred' | 'required'
  /** `required`: nothing is sent to a host whose certificate is for none of `names`; `wanted`: it is only told. */
  readonly proof: 'none' | 'wanted' | 'required'
  readonly names: readonly string[]
  /** Names of the subject (CN) do not count (RFC 8461 §4.1). */
  readonly altNamesOnly: boolean
  /** Where there are any, they decide whether the certificate is proven (RFC 7672). */
  readonly tlsa: readonly Tlsa[]
}

export interface RouteLogin {
  readonly user: string
  readonly passphrase: string
}

export interface SmtpClientOptions {
  /** Said in EHLO. */
  readonly hostname: string
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly tls: TlsDemand
  readonly auth: RouteLogin | null
  /** The address of ours that it goes out from; null = the system chooses. */
  readonly localAddress: string | null
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
  /** The host did not take our name and passphrase. */
  readonly authFailed: boolean
  constructor(failure: Failure, why: { readonly tls?: string; readonly auth?: boolean } = {}) {
    super(failure.response)
    this.failure = failure
    this.tlsFailure = why.tls ?? null
    this.authFailed = why.auth ?? false
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
