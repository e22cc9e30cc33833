import { isAscii } from 'node:buffer'
import { isIP } from 'node:net'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { TLSSocket } from 'node:tls'
import type { TlsMode } from '../../config/sections/destinations.ts'
import { errorText } from '../../core/errors.ts'
import { statusOf } from '../../mail/delivery/status.ts'
import { ConnectFailure } from '../../mail/delivery/transport.ts'
import type {
  AttemptResult,
  Failure,
  OutgoingMessage,
  SmtpClient,
  SmtpClientOptions,
  SmtpSending,
  SmtpTarget,
} from '../../mail/delivery/transport.ts'

/** The parts of nodemailer's errors that say what happened. */
interface SmtpError extends Error {
  readonly code?: string
  readonly command?: string
  readonly response?: string
  readonly responseCode?: number
  readonly recipient?: string
  readonly rejectedErrors?: readonly SmtpError[]
}

const failureOf = (error: SmtpError): Failure => {
  const { response, responseCode, command } = error
  if (response !== undefined && responseCode !== undefined && responseCode >= 400)
    return {
      permanent: responseCode >= 500,
      code: String(responseCode),
      status: statusOf(response, responseCode, command === 'RCPT TO'),
      response: response.slice(0, 2000),
    }
  // Refused before a word was said: an address that cannot be put on the wire, or a message over the host's SIZE.
  if (error.code === 'EENVELOPE' && command === 'API')
    return { permanent: true, code: '000', status: '5.1.3', response: errorText(error) }
  if (error.code === 'EMESSAGE') return { permanent: true, code: '000', status: '5.3.4', response: errorText(error) }
  return { permanent: false, code: '000', status: '4.4.0', response: errorText(error) }
}

const needsTls = ({ tls }: SmtpClientOptions): boolean => tls === 'required' || tls === 'required_verify'

const isUtf8Only = (message: OutgoingMessage): boolean =>
  [message.sender, ...message.recipients].some((a) => /[^ -~]/.test(a))

const open = async (
  target: SmtpTarget,
  options: SmtpClientOptions,
  how: { readonly plain: boolean; readonly authorities: readonly string[] | undefined },
  signal: AbortSignal,
): Promise<SMTPConnection> => {
  const required = needsTls(options)
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const connection = new Connection({
    host: target.address,
    port: target.port,
    // A name, never an address (RFC 6066 §3).
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    name: options.hostname,
    secure: false,
    ignoreTLS: how.plain,
    requireTLS: required,
    opportunisticTLS: !required,
    // Only `verify` modes say which certificate is right, and they look at it afterwards; otherwise encryption without
    // proof beats none (RFC 7435).
    tls: {
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ...(how.authorities ? { ca: [...how.authorities] } : {}),
    },
    connectionTimeout: options.connectTimeoutMs,
    greetingTimeout: options.replyTimeoutMs,
    socketTimeout: options.replyTimeoutMs,
    allowInternalNetworkInterfaces: true,
  })
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      connection.close()
      reject(new Error('stopped'))
    }
    signal.addEventListener('abort', abort, { once: true })
    connection.once('error', reject)
    connection.once('end', () => reject(new Error('the host closed the connection')))
    connection.connect((error) => {
      signal.removeEventListener('abort', abort)
      if (error) reject(error)
      else resolve()
    })
  })
  // An idle connection may break at any time; `send` reports what matters.
  connection.on('error', () => undefined)
  return connection
}

const sending = (connection: SMTPConnection, tlsFailure: string | null): SmtpSending => {
  const socket = connection._socket as TLSSocket
  const secure = connection.secure
  let alive = true
  /** A transaction that was refused may still be open at the host. */
  let untidy = false
  connection.once('end', () => {
    alive = false
  })
  const check = async (signal: AbortSignal): Promise<boolean> =>
    await new Promise((resolve) => {
      const end = (ok: boolean): void => {
        signal.removeEventListener('abort', stop)
        connection.removeListener('end', stop)
        untidy = !ok
        if (!ok) {
          alive = false
          connection.close()
        }
        resolve(ok)
      }
      const stop = (): void => end(false)
      if (!alive || signal.aborted) return end(false)
      signal.addEventListener('abort', stop, { once: true })
      connection.once('end', stop)
      connection.reset((error) => end(!error))
    })
  return {
    interfaceAddress: socket.localAddress ?? '',
    tls: secure
      ? { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name, verified: socket.authorized }
      : null,
    tlsFailure,
    get alive() {
      return alive
    },
    quit: () => {
      if (alive) connection.quit()
    },
    check,
    send: async (message, signal) => {
      if (untidy && !(await check(signal))) {
        const failure = { permanent: false, code: '000', status: '4.4.2', response: 'the host closed the connection' }
        return message.recipients.map(() => ({ ok: false, ...failure }))
      }
      const extensions = (connection as unknown as { _supportedExtensions: readonly string[] })._supportedExtensions
      if (isUtf8Only(message) && !extensions.includes('SMTPUTF8')) {
        const response = 'the address needs SMTPUTF8, which the host does not offer'
        return message.recipients.map(() => ({ ok: false, permanent: true, code: '000', status: '5.6.7', response }))
      }
      return await new Promise<readonly AttemptResult[]>((resolve) => {
        const stop = (): void => {
          connection.close()
          const response = 'the delivery was stopped'
          resolve(
            message.recipients.map(() => ({ ok: false, permanent: false, code: '000', status: '4.3.2', response })),
          )
        }
        if (signal.aborted) return stop()
        signal.addEventListener('abort', stop, { once: true })
        const envelope = {
          from: message.sender === '' ? (false as const) : message.sender,
          to: [...message.recipients],
          size: message.bytes.length,
          use8BitMime: !isAscii(message.bytes),
        }
        connection.send(envelope, message.bytes, (error, info) => {
          signal.removeEventListener('abort', stop)
          if (error?.code === 'ECONNECTION' || error?.code === 'ETIMEDOUT' || error?.code === 'ESOCKET') alive = false
          untidy = error !== null
          const rejected =
            (error ? (error as SmtpError).rejectedErrors : (info?.rejectedErrors as readonly SmtpError[])) ?? []
          resolve(
            message.recipients.map((recipient): AttemptResult => {
              const own = rejected.find((e) => e.recipient === recipient)
              if (own) return { ok: false, ...failureOf(own) }
              if (error) return { ok: false, ...failureOf(error as SmtpError) }
              return { ok: true, response: info?.response ?? '' }
            }),
          )
        })
      })
    },
  }
}

/** Why this session may not be used, although a host is there; null when it may. */
const unproven = (made: SmtpSending, tls: TlsMode, socket: TLSSocket): string | null =>
  tls === 'required_verify' && made.tls?.verified !== true
    ? `the certificate cannot be verified: ${errorText(socket.authorizationError)}`
    : null

/**
 * Outgoing SMTP on nodemailer's connection. `preferred` goes on in plain text where STARTTLS fails; `required` does not,
 * and `required_verify` sends nothing to a host whose certificate is not its own. `authorities` (PEM) take the place of
 * those that Node trusts.
 */
export const createSmtpClient = (authorities?: readonly string[]): SmtpClient => ({
  connect: async (target, options, signal) => {
    const attempt = async (plain: boolean, tlsFailure: string | null): Promise<SmtpSending> => {
      const connection = await open(target, options, { plain, authorities }, signal)
      const made = sending(connection, tlsFailure)
      const reason = unproven(made, options.tls, connection._socket as TLSSocket)
      if (reason === null) return made
      made.quit()
      throw tlsRequired(reason)
    }
    try {
      return await attempt(options.tls === 'no', null)
    } catch (error) {
      if (error instanceof ConnectFailure) throw error
      const text = errorText(error)
      const overTls = (error as SmtpError).code === 'ETLS'
      if (overTls && needsTls(options)) throw tlsRequired(text)
      // A greeting of 554 refuses this connection, not the message: other hosts of the domain may take it.
      if (!overTls) throw new ConnectFailure({ ...failureOf(error as SmtpError), permanent: false })
      return await attempt(true, text).catch((again: unknown) => {
        throw again instanceof ConnectFailure
          ? again
          : new ConnectFailure({ ...failureOf(again as SmtpError), permanent: false })
      })
    }
  },
})

const tlsRequired = (reason: string): ConnectFailure =>
  new ConnectFailure(
    { permanent: false, code: '000', status: '4.7.4', response: `TLS was required: ${reason}` },
    reason,
  )
