import type { RecipientOptions, SenderOptions } from './mail-parameters.ts'
import type { Credentials } from './sasl.ts'

/** What a listener lets a connection do. */
export interface SmtpSettings {
  readonly hostname: string
  readonly greeting: string
  readonly tls: 'off' | 'preferred' | 'required'
  /** Offered under TLS only; absent = off. */
  readonly smtpAuth?: 'off' | 'preferred' | 'required'
  /** Asked at STARTTLS; absent = always. */
  readonly tlsHasRoom?: () => boolean
  readonly maxMessages: number
  readonly maxRecipients: number
  readonly maxMessageBytes: number
  readonly bareNewlines: 'reject' | 'convert'
}

/** What the connection's owner must do, in this order. After one marked (waits) the session reads nothing until it is answered. */
export type SmtpOutput =
  | { readonly kind: 'reply'; readonly text: string }
  /** (waits) MAIL: `answer`. */
  | { readonly kind: 'sender'; readonly address: string; readonly options: SenderOptions }
  /** (waits) RCPT: `answer`. */
  | { readonly kind: 'recipient'; readonly address: string; readonly options: RecipientOptions }
  /** (waits) The end of a message that broke no rule of the session: `answer`. */
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly utf8: boolean }
  /** A message was refused by the session itself. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The transaction that a `sender` opened has ended without a message. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'unknown'; readonly command: string }
  /** A message was to come without the TLS that is required. */
  | { readonly kind: 'tls-missing' }
  /** The same without the authentication that is required. */
  | { readonly kind: 'auth-missing' }
  /** (waits) AUTH: `answer`. */
  | { readonly kind: 'authenticate'; readonly credentials: Credentials }
  /** (waits) The reply is out; take the connection to TLS, then `secured`. */
  | { readonly kind: 'start-tls' }
  /** `quit`: the client has said goodbye and sends nothing more. */
  | { readonly kind: 'close'; readonly quit: boolean }

export interface SmtpAnswer {
  readonly accept: boolean
  /** Null = the session's own words. */
  readonly reply: string | null
  /** The connection ends with a refusal. */
  readonly close?: boolean
}
