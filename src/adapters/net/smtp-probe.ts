import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { Fault, errorText } from '../../core/errors.ts'
import { connectReason } from './connect-reason.ts'
import type { Diagnostics, PeerCertificate, SmtpReply } from '../../services/diagnostics.ts'

const TIMEOUT_MS = 30_000
/** A server that says more than this says nothing that an operator can read. */
const MAX_REPLY = 65_536

/** Lines of one answer, RFC 5321 §4.2: `250-…` goes on, `250 …` ends it. */
const createReplies = (
  socket: Socket,
  address: string,
  signal: AbortSignal,
): { next(): Promise<SmtpReply>; detach(): void } => {
  let text = ''
  let waiting: { resolve(reply: SmtpReply): void; reject(error: Error): void; timer: NodeJS.Timeout } | null = null
  let broken: Error | null = null
  const settle = (act: (w: NonNullable<typeof waiting>) => void): void => {
    if (waiting === null) return
    const w = waiting
    waiting = null
    clearTimeout(w.timer)
    act(w)
  }
  const fail = (error: Error): void => {
    broken ??= error
    settle((w) => w.reject(broken ?? error))
  }
  const take = (): void => {
    if (waiting === null) return
    const found = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?: [^\n]*)?\n/.exec(text)
    if (found !== null) {
      text = text.slice(found[0].length)
      const lines = found[0].split('\n').slice(0, -1)
      settle((w) => w.resolve({ code: Number(found[1]), lines: lines.map((l) => l.replace(/\r$/, '').slice(4)) }))
    } else if (text.length > MAX_REPLY || /^(?!\d{0,3}(?:$|[ \-\r\n]))/.test(text)) {
      fail(new Fault('UPSTREAM_UNAVAILABLE', `${address} does not speak SMTP.`))
    }
  }
  const onData = (bytes: Buffer): void => {
    text += bytes.toString('latin1')
    take()
  }
  const onError = (error: Error): void =>
    fail(new Fault('UPSTREAM_UNAVAILABLE', `${address}: ${connectReason(error)}.`, { cause: error }))
  const onEnd = (): void => fail(new Fault('UPSTREAM_UNAVAILABLE', `${address} closed the connection.`))
  const onAbort = (): void => fail(signal.reason as Error)
  socket.on('data', onData)
  socket.on('error', onError)
  socket.on('close', onEnd)
  signal.addEventListener('abort', onAbort, { once: true })
  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (broken !== null) return reject(broken)
        const timer = setTimeout(() => fail(new Fault('TIMED_OUT', `${address} did not answer in time.`)), TIMEOUT_MS)
        waiting = { resolve, reject, timer }
        take()
      }),
    detach: () => {
      socket.off('data', onData)
      socket.off('close', onEnd)
      socket.off('error', onError)
      socket.on('error', () => undefined)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

const opened = async (address: string, port: number, source: string | null, signal: AbortSignal): Promise<Socket> =>
  await new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, ...(source === null ? {} : { localAddress: source }) })
    const end = (error: unknown): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      if (error === null) return resolve(socket.removeAllListeners('error'))
      socket.destroy()
      reject(
        error instanceof Fault || signal.aborted
          ? (error as Error)
          : new Fault('UPSTREAM_UNAVAILABLE', `${address} port ${port}: ${connectReason(error)}.`, { cause: error }),
      )
    }
    const stop = (): void => end(signal.reason)
    const timer = setTimeout(() => {
      end(new Fault('TIMED_OUT', `${address} port ${port} did not answer.`))
    }, TIMEOUT_MS)
    signal.addEventListener('abort', stop, { once: true })
    socket.once('error', end)
    socket.once('connect', () => end(null))
  })

const certificateOf = (socket: TLSSocket): PeerCertificate => {
  const peer = socket.getPeerCertificate()
  const common: unknown = (peer.subject as { readonly CN?: unknown } | undefined)?.CN
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    commonName: typeof common === 'string' ? common : null,
    names: (peer.subjectaltname ?? '').split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : [])),
    validTo: peer.valid_to,
    distrust: socket.authorized ? null : errorText(socket.authorizationError),
    covers: (name) => checkServerIdentity(name, peer) === undefined,
  }
}

const secured = async (
  socket: Socket,
  servername: string,
  address: string,
  authorities: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> =>
  await new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    const stop = (): void => fail('stopped')
    const fail = (error: unknown): void => {
      settled()
      socket.destroy()
      reject(new Fault('UPSTREAM_UNAVAILABLE', `TLS with ${address} failed: ${errorText(error)}.`, { cause: error }))
    }
    const timer = setTimeout(() => fail('no answer in time'), TIMEOUT_MS)
    signal.addEventListener('abort', stop, { once: true })
    const tls = connectTls(
      {
        socket,
        // The certificate is what the operator asks about: it is looked at afterwards, not refused.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        minVersion: 'TLSv1.2',
        ...(isIP(servername) === 0 ? { servername } : {}),
        ...(authorities === undefined ? {} : { ca: [...authorities] }),
      },
      () => {
        settled()
        tls.off('error', fail)
        resolve(tls)
      },
    )
    tls.on('error', fail)
  })

/** Speaks SMTP line by line for `tlsverify` and `smtpping`, and shows what the delivery client keeps to itself. */
export const smtpProbe =
  (authorities?: readonly string[]): Diagnostics['smtp'] =>
  async (address, port, source, signal) => {
    signal.throwIfAborted()
    let socket = await opened(address, port, source, signal)
    let replies = createReplies(socket, address, signal)
    const close = (): void => {
      replies.detach()
      socket.destroy()
    }
    try {
      return {
        address,
        greeting: await replies.next(),
        command: async (line) => {
          socket.write(`${line}\r\n`)
          return await replies.next()
        },
        secure: async (servername) => {
          replies.detach()
          const tls = await secured(socket, servername, address, authorities, signal)
          socket = tls
          replies = createReplies(tls, address, signal)
          return certificateOf(tls)
        },
        close,
      }
    } catch (error) {
      close()
      throw error
    }
  }
