import { connect as openSocket } from 'node:net'
import type { Socket } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { startTimer } from '../../core/deadline.ts'
import { errorText } from '../../core/errors.ts'
import { createLru } from '../../core/lru.ts'
import { ConnectFailure } from '../../mail/delivery/transport.ts'
import type {
  AttemptResult,
  Failure,
  SmtpClient,
  SmtpClientOptions,
  SmtpSending,
  SmtpTarget,
} from '../../mail/delivery/transport.ts'
import { SmtpClientSession } from '../../mail/smtp/client/session.ts'
import { SmtpLink } from './link.ts'
import type { LinkOutput } from './link.ts'
import { anchoredContext, secureContext, shownAnchors, startTls, tlsFacts } from './tls.ts'

export interface SmtpClientDeps {
  readonly clock: Clock
  /** PEM; they take the place of those that Node trusts. */
  readonly authorities?: readonly string[]
}

const unreachable = (response: string): Failure => ({ permanent: false, code: '000', status: '4.4.1', response })

/** A connection to the address itself, whatever its name may have come to mean since it was looked up. */
const dial = async (
  { address, port }: SmtpTarget,
  { connectTimeoutMs, localAddress }: SmtpClientOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> => {
  if (signal.aborted) throw new ConnectFailure(unreachable('the delivery was stopped'))
  const socket = openSocket({ host: address, port, noDelay: true, ...(localAddress === null ? {} : { localAddress }) })
  return await new Promise<Socket>((resolve, reject) => {
    const end = (reason: string | null): void => {
      cancel()
      signal.removeEventListener('abort', stop)
      socket.removeAllListeners()
      if (reason === null) return resolve(socket)
      socket.on('error', () => undefined).destroy()
      reject(new ConnectFailure(unreachable(reason)))
    }
    const stop = (): void => end('the delivery was stopped')
    const cancel = startTimer(clock, connectTimeoutMs, () => end(`no connection within ${connectTimeoutMs / 1000} s`))
    signal.addEventListener('abort', stop, { once: true })
    socket.once('connect', () => end(null))
    socket.once('error', (error) => end(errorText(error)))
  })
}

type Ended = Extract<LinkOutput, { readonly kind: 'ready' | 'failed' }>

/** Brings a fresh connection to where messages can be sent, or to its end. */
const introduce = async (link: SmtpLink, target: SmtpTarget, context: () => SecureContext): Promise<Ended> =>
  await new Promise<Ended>((resolve) => {
    link.listener = (output) => {
      if (output.kind === 'ready' || output.kind === 'failed') resolve(output)
      if (output.kind !== 'start-tls') return
      startTls(link.socket, target, context()).then(
        (secure) => link.secured(secure),
        (error: unknown) => link.run(link.session.lost(errorText(error))),
      )
    }
  })

const sendingOver = (
  link: SmtpLink,
  { extensions, tlsFailure }: Extract<Ended, { kind: 'ready' }>,
  tls: SmtpSending['tls'],
): SmtpSending => ({
  interfaceAddress: link.socket.localAddress ?? '',
  tls,
  tlsFailure,
  dsn: extensions.dsn,
  get alive() {
    return link.session.alive
  },
  quit: () => link.run(link.session.quit()),
  send: async (message, signal) =>
    await new Promise<readonly AttemptResult[] | null>((resolve) => {
      const stop = (): void => {
        link.run(link.session.stop())
        link.destroy()
      }
      link.listener = (output) => {
        if (output.kind !== 'results') return
        signal.removeEventListener('abort', stop)
        resolve(output.results)
      }
      signal.addEventListener('abort', stop, { once: true })
      link.run(link.session.send(message))
      if (signal.aborted) stop()
    }),
})

/** What an earlier connection of the same attempt has taught. */
interface Lesson {
  /** Why the handshake broke it. */
  readonly brokenTls?: string
  /** Authorities that TLSA records name, as the host showed them; PEM. */
  readonly anchors?: readonly string[]
  /** The anchors are those of this very host. */
  readonly learnt?: boolean
}

/** Authorities are remembered by the TLSA records that name them. */
const MAX_KNOWN = 1000
const KNOWN_MS = 86_400_000

/**
 * Outgoing SMTP. `preferred` goes on in plain text where TLS does not come about, over a new connection when the handshake
 * broke this one; `required` does not. A host whose certificate must be proven and is not gets no message. Where TLSA records name an
 * authority (usage 2), the first connection learns which it is, and a second one believes it alone.
 */
export const createSmtpClient = ({ clock, authorities }: SmtpClientDeps): SmtpClient => {
  const known = createLru<{ readonly pems: readonly string[] }>(MAX_KNOWN, clock)
  let context: SecureContext | null = null
  const contextOf = (): SecureContext => (context ??= secureContext(authorities))

  const attempt = async (
    target: SmtpTarget,
    options: SmtpClientOptions,
    signal: AbortSignal,
    { brokenTls, anchors, learnt }: Lesson,
  ): Promise<SmtpSending> => {
    const { hostname, replyTimeoutMs, auth, tls } = options
    const session = new SmtpClientSession({
      hostname,
      replyTimeoutMs,
      auth,
      tls: brokenTls === undefined ? tls.use : 'no',
    })
    const link = new SmtpLink(await dial(target, options, clock, signal), session, clock)
    const stop = (): void => {
      link.run(session.stop())
      link.destroy()
    }
    signal.addEventListener('abort', stop, { once: true })
    const contextHere = (): SecureContext => (anchors ? anchoredContext(anchors) : contextOf())
    const ended = await introduce(link, target, contextHere).finally(() => signal.removeEventListener('abort', stop))
    if (ended.kind === 'ready') {
      const secure = 'getCipher' in link.socket ? tlsFacts(link.socket as TLSSocket, tls, anchors !== undefined) : null
      if (tls.proof === 'required' && secure?.verified !== true) {
        link.run(session.quit())
        const shown = secure && !learnt ? shownAnchors(link.socket as TLSSocket, tls.tlsa) : []
        if (shown.length > 0) {
          known.set(JSON.stringify(tls.tlsa), { pems: shown }, KNOWN_MS)
          return await attempt(target, options, signal, { anchors: shown, learnt: true })
        }
        throw tlsRequired(secure?.problem ?? 'the connection is not encrypted')
      }
      return sendingOver(link, { ...ended, tlsFailure: ended.tlsFailure ?? brokenTls ?? null }, secure)
    }
    const { failure, stage } = ended
    if (stage !== 'tls' || signal.aborted) throw new ConnectFailure(failure, { auth: stage === 'auth' })
    if (tls.use === 'required') throw tlsRequired(failure.response)
    return await attempt(target, options, signal, { brokenTls: failure.response })
  }

  return {
    connect: (target, options, signal) => {
      const anchors = options.tls.tlsa.length === 0 ? undefined : known.get(JSON.stringify(options.tls.tlsa))?.pems
      return attempt(target, options, signal, anchors ? { anchors } : {})
    },
  }
}

const tlsRequired = (reason: string): ConnectFailure =>
  new ConnectFailure(
    { permanent: false, code: '000', status: '4.7.4', response: `TLS was required: ${reason}` },
    { tls: reason },
  )
