import type { AttemptResult, Failure } from '../../delivery/transport.ts'
import type { Extensions } from './extensions.ts'

/** What the client brings to a connection. */
export interface SmtpClientSettings {
  /** Said in EHLO. */
  readonly hostname: string
  /** `preferred` goes on in plain text where the host refuses STARTTLS. */
  readonly tls: 'no' | 'preferred' | 'required'
  /** Said under TLS only. Null = nobody logs in. */
  readonly auth: { readonly user: string; readonly passphrase: string } | null
  /** For a reply to a command; the other states are multiples of it, five minutes giving the times of RFC 5321 §4.5.3.2. */
  readonly replyTimeoutMs: number
}

/** Where a session ended before it was ready. */
export type ClientStage = 'greeting' | 'hello' | 'tls' | 'auth'

/** What the connection's owner must do, in this order. */
export type SmtpClientOutput =
  | { readonly kind: 'write'; readonly text: string }
  /** Write these one after the other as the peer takes them, then `bodySent`. */
  | { readonly kind: 'body'; readonly parts: Iterable<Buffer> }
  /** Take the connection to TLS, then `secured`; nothing is read until then. */
  | { readonly kind: 'start-tls' }
  /** `send` may be called. `tlsFailure`: why an offered STARTTLS did not come about. */
  | { readonly kind: 'ready'; readonly extensions: Extensions; readonly tlsFailure: string | null }
  /** No session came about. */
  | { readonly kind: 'failed'; readonly stage: ClientStage; readonly failure: Failure }
  /** One for each recipient; null = the host had hung up before it heard of the message, on a connection that was kept. */
  | { readonly kind: 'results'; readonly results: readonly AttemptResult[] | null }
  /** Nothing more is said or heard. */
  | { readonly kind: 'close' }
