import { createSecureContext, TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { Socket } from 'node:net'

export interface KeyPair {
  /** PEM. */
  readonly key: string
  /** PEM: the certificate, then those that lead to its authority. */
  readonly cert: string
}

/** How one listener answers STARTTLS. */
export interface ListenerTls {
  readonly secureContext: SecureContext
  /** By the host that the client asks for (RFC 6066 §3), lower case; without one of ours: the first certificate. */
  forHost(name: string): SecureContext
}

/** RFC 8996, RFC 9325 §3.1: nothing older than TLS 1.2, and of that only forward secrecy with AEAD. */
export const TLS_DEFAULTS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  honorCipherOrder: true,
} as const

export const secureContextOf = (pair: KeyPair, authorities: readonly string[] = []): SecureContext =>
  createSecureContext({ ...TLS_DEFAULTS, ...pair, ...(authorities.length === 0 ? {} : { ca: [...authorities] }) })

/** The server side of STARTTLS on a connection. */
export const secureSocket = (plain: Socket, tls: ListenerTls, askClient: boolean): TLSSocket =>
  new TLSSocket(plain, {
    isServer: true,
    secureContext: tls.secureContext,
    SNICallback: (name, done) => done(null, tls.forHost(name.toLowerCase())),
    // A client without a certificate, or with one that nobody vouches for, goes on without a name.
    requestCert: askClient,
    rejectUnauthorized: false,
  })

/** `authorized` is set by tls.Server only; a socket of our own is asked for what OpenSSL found. */
const isVerified = (socket: TLSSocket): boolean => {
  const { ssl } = socket as unknown as { readonly ssl?: { verifyError?(): Error | null } | null }
  return ssl?.verifyError !== undefined && !ssl.verifyError()
}

/** What the log says of a finished handshake; a name only when its certificate was verified. */
export const tlsDetails = (
  socket: TLSSocket,
): { readonly protocol: string; readonly cipher: string; readonly clientName?: string } => {
  const peer = isVerified(socket) ? socket.getPeerCertificate() : null
  const name: unknown = (peer?.subject as { CN?: unknown } | undefined)?.CN
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(typeof name === 'string' ? { clientName: name } : {}),
  }
}
