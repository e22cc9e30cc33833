import { createServer } from 'node:net'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Connection, ServerConfig } from 'ssh2'
import { inBlocks } from '../config/address-block.ts'
import { plainAddress } from '../core/plain-address.ts'
import type { SshSettings } from '../config/sections/ssh.ts'
import type { User } from '../config/sections/users.ts'
import type { Clock } from '../core/clock.ts'
import { startTimer } from '../core/deadline.ts'
import { printable } from '../core/text.ts'
import type { Accounts } from '../services/accounts.ts'
import type { CommandHistory } from '../shell/history.ts'
import type { Terminal } from '../shell/terminal.ts'
import { authenticate } from './ssh-auth.ts'
import { serveChannel } from './ssh-channel.ts'
import { ssh2 } from './ssh-keys.ts'
import type { HostKeys } from './ssh-keys.ts'

export interface SshServerOptions {
  readonly settings: SshSettings
  readonly hostKeys: HostKeys
  readonly ident: string
  /** Read at each connection: what is shown before the login, and whether the address may come in at all. */
  readonly banner: () => string | null
  readonly admits: (address: string) => boolean
  readonly accounts: Accounts
  readonly clock: Clock
  /** How long somebody who is in may go without any session. */
  readonly vacantMs: () => number
  readonly history: (user: User) => CommandHistory
  readonly run: (terminal: Terminal, user: User) => Promise<number>
  /** The connection of somebody who was in has ended. */
  readonly left: (user: User, from: string) => void
  /** A fault of the server itself or of a session. */
  readonly fault: (error: unknown) => void
}

export interface SshServer {
  readonly address: string
  readonly port: number
  /** No new connections; those that are there go on. */
  stopListening(): void
  /** Ends every connection too. */
  close(): Promise<void>
}

/** A client that has not logged in by then is gone. */
const LOGIN_GRACE_MS = 60_000
/** What a client has to close its side after ours. */
const GOOD_BYE_MS = 5000
const KEEP_ALIVE_MS = 30_000
const KEEP_ALIVE_COUNT = 4
/** Sessions that run on one connection, and those it opened without asking for a shell or a command. */
const MAX_CHANNELS = 10
const MAX_UNUSED = 100
/** Connections of one user beyond the sessions it may have, so that the session that is refused can be told why. */
const SPARE_CONNECTIONS = 5

/** The SSH server: a shell and nothing else. No forwarding of ports, agent or X11, no subsystem. */
export const serveSsh = async (options: SshServerOptions): Promise<SshServer> => {
  const { settings } = options
  const { Server, utils } = await ssh2()
  const sockets = new Set<Socket>()
  const halfOpen = new Map<Socket, string>()
  const sessions = new Map<string, number>()
  const connections = new Map<string, number>()
  const { clock } = options
  let acceptor: NetServer | null = null

  const parseKey = (blob: Buffer) => {
    const key = utils.parseKey(blob)
    return key instanceof Error || Array.isArray(key) ? null : key
  }
  const count = (of: Map<string, number>, { name }: User, by: number): number => {
    const now = (of.get(name) ?? 0) + by
    if (now <= 0) of.delete(name)
    else of.set(name, now)
    return now
  }

  const converse = (connection: Connection, socket: Socket, from: string): void => {
    const { user } = authenticate(connection, { accounts: options.accounts, from, parseKey, fault: options.fault })
    const gone = new AbortController()
    let running = 0
    let unused = 0
    let counted: User | null = null
    let stopWaiting: () => void = () => undefined
    const bid = (): void => {
      connection.end()
      startTimer(clock, GOOD_BYE_MS, () => socket.destroy())
    }
    const vacant = (): void => {
      stopWaiting()
      stopWaiting = gone.signal.aborted
        ? () => undefined
        : startTimer(clock, options.vacantMs(), () => {
            if (running === 0) bid()
          })
    }
    // A peer that breaks the protocol or goes away is its own business; 'close' follows.
    connection.on('error', (error: Error & { readonly level?: string }) => {
      // Whoever answers no keep-alive does not answer a good-bye either: waiting for it would keep the session.
      if (error.level === 'client-timeout') socket.destroy()
    })
    connection.once('close', () => {
      gone.abort(new Error('the connection is closed'))
      stopWaiting()
      if (counted !== null) count(connections, counted, -1)
      const who = user()
      if (who !== null) options.left(who, from)
    })
    connection.on('ready', () => {
      halfOpen.delete(socket)
      counted = user()
      // Whoever opens connections and never a session is held to the same number.
      if (counted !== null && count(connections, counted, 1) > settings.maxSessionsPerUser + SPARE_CONNECTIONS) bid()
      else vacant()
    })
    connection.on('session', (accept, reject) => {
      const who = user()
      if (who === null || running >= MAX_CHANNELS || unused >= MAX_UNUSED) {
        reject()
        return
      }
      unused++
      serveChannel(accept(), {
        origin: from,
        now: () => clock.monotonic(),
        history: () => options.history(who),
        fault: options.fault,
        gone: gone.signal,
        run: async (terminal) => {
          unused--
          running++
          stopWaiting()
          try {
            if (count(sessions, who, 1) > settings.maxSessionsPerUser) {
              terminal.write(`Too many sessions of the user ${who.name} are open.\n`)
              return 1
            }
            return await options.run(terminal, who)
          } finally {
            count(sessions, who, -1)
            running--
            if (running === 0) vacant()
          }
        },
      })
    })
  }

  /** One ssh2 server a connection: it takes its banner at construction only. */
  const begin = (socket: Socket, from: string): void => {
    const banner = options.banner()
    const config: ServerConfig = {
      // ssh2 takes a key that is parsed already; its types do not say so.
      hostKeys: options.hostKeys.keys.map((key) => ({ key: key as unknown as string })),
      ident: options.ident,
      keepaliveInterval: KEEP_ALIVE_MS,
      keepaliveCountMax: KEEP_ALIVE_COUNT,
      algorithms: {
        kex: [...settings.kex],
        cipher: [...settings.ciphers],
        hmac: [...settings.macs],
        serverHostKey: ['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256'],
        compress: ['none'],
      },
      ...(banner === null ? {} : { banner: bannerText(banner) }),
    }
    const server = new Server(config, (connection) => converse(connection, socket, from))
    server.on('error', options.fault)
    server.injectSocket(socket)
  }

  const onSocket = (socket: Socket): void => {
    const from = plainAddress(socket.remoteAddress ?? '')
    socket.on('error', () => undefined)
    const here = [...halfOpen.values()].filter((address) => address === from).length
    const { allowed, blocked } = settings
    const admitted =
      options.admits(from) && !inBlocks(blocked, from) && (allowed.length === 0 || inBlocks(allowed, from))
    if (!admitted || halfOpen.size >= settings.maxHalfOpen || here >= settings.maxHalfOpenPerAddress) {
      socket.destroy()
      return
    }
    // A client that sends nothing never becomes a connection of ssh2: it is counted and timed from here.
    const cancelGrace = startTimer(clock, LOGIN_GRACE_MS, () => {
      if (halfOpen.has(socket)) socket.destroy()
    })
    sockets.add(socket)
    halfOpen.set(socket, from)
    socket.setNoDelay(true)
    socket.once('close', () => {
      cancelGrace()
      sockets.delete(socket)
      halfOpen.delete(socket)
    })
    try {
      begin(socket, from)
    } catch (error) {
      options.fault(error)
      socket.destroy()
    }
  }

  acceptor = createServer(onSocket)
  await listen(acceptor, settings)
  acceptor.on('error', options.fault)
  const { address, port } = acceptor.address() as AddressInfo

  const stopListening = (): void => {
    acceptor?.close()
    acceptor = null
  }
  return {
    address,
    port,
    stopListening,
    close: async () => {
      stopListening()
      for (const socket of sockets) socket.end()
      if (sockets.size === 0) return
      await new Promise<void>((resolve) => {
        // A client that does not take its good-bye is cut off.
        const cut = setTimeout(() => sockets.forEach((s) => s.destroy()), 500)
        for (const socket of sockets)
          socket.once('close', () => {
            if (sockets.size > 0) return
            clearTimeout(cut)
            resolve()
          })
      })
    },
  }
}

/** RFC 4252 §5.4: lines end with CR LF. Nothing in it is obeyed by a terminal. */
const bannerText = (banner: string): string =>
  banner
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `${printable(line)}\r\n`)
    .join('')

/** Rejects with the system's error when the port cannot be had. */
const listen = (server: NetServer, { address, port }: SshSettings): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })

/** Whether the port can be had, without keeping it. */
export const probeSsh = async (settings: SshSettings): Promise<void> => {
  const server = createServer((socket) => socket.destroy())
  await listen(server, settings)
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
