import { createSocket } from 'node:dgram'
import { connect, isIP, isIPv6 } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SyslogPush } from '../../config/sections/log-subscriptions.ts'
import type { Resolver } from '../../core/resolver.ts'

/** An open way to a syslog server. */
export interface SyslogLink {
  /** Resolves when the system has taken them all. */
  write(messages: readonly string[]): Promise<void>
  /** The server ended the connection, or it broke. */
  readonly ended: boolean
  /** Ends the connection after what was written. */
  end(): void
  destroy(): void
}

export interface SyslogLinkDeps {
  readonly resolver: Resolver
  /** The certificates in a PEM file. @throws UserError */
  readonly authorities: (path: string) => string
}

const addressOf = async (host: string, resolver: Resolver): Promise<string> => {
  if (isIP(host) !== 0) return host
  const found = await Promise.allSettled([resolver.resolve(host, 'A'), resolver.resolve(host, 'AAAA')])
  for (const answer of found)
    if (answer.status === 'fulfilled' && Array.isArray(answer.value) && typeof answer.value[0] === 'string')
      return answer.value[0]
  throw new Error(`the name ${host} has no address`)
}

/** One datagram for each message (RFC 5426 §3.1). */
const openUdp = (address: string, port: number, signal: AbortSignal): SyslogLink => {
  const family = isIPv6(address) ? 6 : 4
  // Addresses only: the name was looked up before.
  const socket = createSocket({ type: `udp${family}`, lookup: (host, _, done) => done(null, host, family) })
  let broken: Error | null = null
  socket.on('error', (error) => (broken = error))
  const close = (): void => {
    signal.removeEventListener('abort', close)
    try {
      socket.close()
    } catch {
      // Closed before.
    }
  }
  signal.addEventListener('abort', close, { once: true })
  const one = async (message: string): Promise<void> =>
    await new Promise((resolve, reject) => {
      if (broken !== null) return reject(broken)
      socket.send(message, port, address, (error) => (error ? reject(error) : resolve()))
    })
  return {
    write: async (messages) => {
      for (const message of messages) await one(message)
    },
    get ended() {
      return broken !== null
    },
    end: close,
    destroy: close,
  }
}

/** RFC 6587 §3.4.2: a message ends with a line feed. */
const byLine = (message: string): string => `${message}\n`
/** RFC 5425 §4.3: its length in bytes stands before a message. */
const byLength = (message: string): string => `${Buffer.byteLength(message)} ${message}`

const streamLink = async (
  socket: Socket,
  opened: 'connect' | 'secureConnect',
  frame: (message: string) => string,
  signal: AbortSignal,
): Promise<SyslogLink> => {
  const destroy = (): void => {
    signal.removeEventListener('abort', destroy)
    socket.destroy()
  }
  signal.addEventListener('abort', destroy, { once: true })
  let failure: Error | null = null
  socket.on('error', (error) => (failure = error))
  // A syslog server has nothing to say (RFC 6587 §3.1), but its end is only seen by whoever reads.
  socket.resume()
  const gone = (): Error => failure ?? new Error('the server closed the connection')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(opened, resolve)
      socket.once('close', () => reject(gone()))
    })
  } catch (error) {
    destroy()
    throw error
  }
  return {
    write: async (messages) =>
      await new Promise((resolve, reject) => {
        const closed = (): void => reject(gone())
        socket.once('close', closed)
        socket.write(messages.map(frame).join(''), (error) => {
          socket.off('close', closed)
          if (error) reject(failure ?? error)
          else resolve()
        })
      }),
    get ended() {
      return socket.destroyed || socket.readableEnded
    },
    end: () => {
      signal.removeEventListener('abort', destroy)
      socket.destroySoon()
    },
    destroy,
  }
}

/** Opens the way; the signal ends it at any time. TLS takes no server whose certificate is not good for its name. */
export const openSyslogLink = async (
  { host, port, protocol, caFile }: SyslogPush,
  { resolver, authorities }: SyslogLinkDeps,
  signal: AbortSignal,
): Promise<SyslogLink> => {
  const address = await addressOf(host, resolver)
  signal.throwIfAborted()
  if (protocol === 'udp') return openUdp(address, port, signal)
  if (protocol === 'tcp') return await streamLink(connect({ host: address, port }), 'connect', byLine, signal)
  const secure = connectTls({
    // The certificate has to be for what was configured, not for what the name resolved to.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    host: address,
    port,
    minVersion: 'TLSv1.2',
    ...(caFile === null ? {} : { ca: authorities(caFile) }),
  })
  return await streamLink(secure, 'secureConnect', byLength, signal)
}
