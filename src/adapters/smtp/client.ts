import { isAscii } from 'node:buffer'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { TLSSocket } from 'node:tls'
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

const isUtf8Only = (message: OutgoingMessage): boolean =>
  [message.sender, ...message.recipients].some((a) => /[^ -~]/.test(a))

const open = async (
  target: SmtpTarget,
  options: SmtpClientOptions,
  ignoreTLS: boolean,
  signal: AbortSignal,
): Promise<SMTPConnection> => {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const connection = new Connection({
    host: target.address,
    port: target.port,
    servername: target.host,
    name: options.hostname,
    secure: false,
    ignoreTLS,
    opportunisticTLS: true,
    // Without DANE or MTA-STS nothing says which certificate is right; encryption without proof beats none (RFC 7435).
    tls: { rejectUnauthorized: false, minVersion: 'TLSv1.2' },
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
  connection.once('end', () => {
    alive = false
  })
  return {
    interfaceAddress: socket.localAddress ?? '',
    tls: secure ? { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name } : null,
    tlsFailure,
    get alive() {
      return alive
    },
    quit: () => {
      if (alive) connection.quit()
    },
    send: async (message, signal) => {
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

/** Outgoing SMTP on nodemailer's connection: STARTTLS where offered, in plain text again where it fails. */
export const createSmtpClient = (): SmtpClient => ({
  connect: async (target, options, signal) => {
    try {
      try {
        return sending(await open(target, options, false, signal), null)
      } catch (error) {
        if ((error as SmtpError).code !== 'ETLS') throw error
        return sending(await open(target, options, true, signal), errorText(error))
      }
    } catch (error) {
      // A greeting of 554 refuses this connection, not the message: other hosts of the domain may take it.
      throw new ConnectFailure({ ...failureOf(error as SmtpError), permanent: false })
    }
  },
})
