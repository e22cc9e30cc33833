import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { listeners as listenersSection } from '../config/sections/listeners.ts'
import type { Listener } from '../config/sections/listeners.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import { errorText, UserError } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import type { Resolver } from '../core/resolver.ts'
import { clientPolicy, plainAddress } from '../mail/smtp/access.ts'
import { SMTP_LIMITS } from '../mail/smtp/limits.ts'
import { createReverseDns } from './reverse-dns.ts'
import type { Service } from './service.ts'
import { SmtpConnection } from './smtp-connection.ts'
import type { SmtpConnectionDeps } from './smtp-connection.ts'
import type { Suspensions } from './suspensions.ts'

export interface TlsKeyPair {
  readonly key: string
  readonly cert: string
}

export type SmtpListenersDeps = Omit<SmtpConnectionDeps, 'secureContext' | 'budget'> & {
  readonly resolver: Resolver
  readonly config: ConfigReader
  readonly suspensions: Pick<Suspensions, 'receiving'>
  /** The certificate of STARTTLS, made on first start. */
  readonly certificate: () => Promise<TlsKeyPair>
}

export interface SmtpListeners extends Service {
  readonly consumer: ConfigConsumer<Listener[]>
  /** Where it listens now, by listener name. */
  /** Ends the connections of listeners: idle ones at once, the others after `graceMs`. */
  drain(listeners: readonly string[], graceMs: number): Promise<void>
  listening(): readonly { readonly listener: string; readonly address: string; readonly port: number }[]
}

interface Open {
  /** The newest settings; a connection keeps those it began with. */
  settings: Listener
  readonly server: Server
  readonly port: number
}

const SWEEP_MS = 5000
const BACKLOG = 1024

/** Two listeners with the same key share a socket: only a change of address or port moves it. */
const keyOf = (l: Listener): string => `${l.address}|${l.port === 0 ? `free:${l.name}` : l.port}`

const bind = async (listener: Listener, onSocket: (socket: Socket) => void): Promise<Server> => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true }, onSocket)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: listener.address, port: listener.port, backlog: BACKLOG }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  return server
}

const bindProblem = ({ name, address, port }: Listener, error: unknown): string => {
  const code = (error as { code?: string }).code
  const why =
    code === 'EADDRINUSE'
      ? 'the port is in use by another program'
      : code === 'EACCES'
        ? 'ports below 1024 need privileges that this process does not have'
        : code === 'EADDRNOTAVAIL'
          ? 'the address is not one of this machine'
          : errorText(error)
  return `Listener ${name} cannot listen on ${address} port ${port}: ${why}.`
}

/** SMTP reception: opens, moves and closes listeners as committed, and owns their connections. */
export const createSmtpListeners = (deps: SmtpListenersDeps): SmtpListeners => {
  const { env, events, ids } = deps
  const reverse = createReverseDns(deps.resolver, env.clock)
  const open = new Map<string, Open>()
  /** With the listener of each. */
  const connections = new Map<SmtpConnection, string>()
  const perListener = new Map<string, number>()
  const perAddress = new Map<string, number>()
  const budget = { held: 0 }
  let secureContext = createSecureContext()
  let running = false
  let since = env.clock.now()
  const ended = new AbortController()
  const connectionDeps: SmtpConnectionDeps = { ...deps, budget, secureContext: () => secureContext }

  const count = (map: Map<string, number>, key: string, by: 1 | -1): void => {
    const n = (map.get(key) ?? 0) + by
    if (n > 0) map.set(key, n)
    else map.delete(key)
  }

  const refuse = (
    socket: Socket,
    listener: Listener,
    remoteAddress: string,
    reply: string,
    reason = 'Connection limit exceeded',
  ): void => {
    const icid = ids.next('icid')
    events.publish({
      type: 'connection.opened',
      icid,
      listener: listener.name,
      interfaceName: listener.interfaceName,
      interfaceAddress: listener.address,
      remoteAddress,
      reverseHost: null,
      reverseVerified: false,
    })
    events.publish({ type: 'connection.receiving-failed', icid, reason })
    events.publish({ type: 'connection.closed', icid, how: 'close' })
    socket.on('error', () => undefined)
    socket.setTimeout(5000, () => socket.destroy())
    socket.resume()
    socket.end(reply, () => socket.destroy())
  }

  const onSocket = (key: string, socket: Socket): void => {
    const listener = open.get(key)?.settings
    const remoteAddress = plainAddress(socket.remoteAddress ?? '')
    if (!listener || remoteAddress === '') return void socket.destroy()
    const { hostname } = deps.config.get(system)
    const addressKey = `${listener.name}|${remoteAddress}`
    try {
      if (deps.suspensions.receiving(listener.name)) {
        const reply = `421 4.3.2 ${hostname} does not receive mail at the moment, try again later\r\n`
        return refuse(socket, listener, remoteAddress, reply, 'Receiving suspended')
      }
      if ((perListener.get(listener.name) ?? 0) >= listener.maxConcurrency)
        return refuse(
          socket,
          listener,
          remoteAddress,
          `421 4.3.2 ${hostname} too many connections, try again later\r\n`,
        )
      if ((perAddress.get(addressKey) ?? 0) >= listener.maxConcurrencyPerAddress)
        return refuse(
          socket,
          listener,
          remoteAddress,
          `421 4.7.0 ${hostname} too many connections from your address\r\n`,
        )
      const client = {
        icid: ids.next('icid'),
        listener,
        hostname,
        policy: clientPolicy(listener, remoteAddress),
        remoteAddress,
      }
      const connection = new SmtpConnection(connectionDeps, client, socket, () => {
        if (!connections.delete(connection)) return
        count(perListener, listener.name, -1)
        count(perAddress, addressKey, -1)
      })
      connections.set(connection, listener.name)
      count(perListener, listener.name, 1)
      count(perAddress, addressKey, 1)
      void connection.start(reverse.lookup(remoteAddress, SMTP_LIMITS.reverseMs))
    } catch {
      // No connection id can be reserved (disk full).
      socket.end(`421 4.3.1 ${hostname} try again later\r\n`, () => socket.destroy())
    }
  }

  const close = (key: string): void => {
    const { server, settings } = open.get(key) as Open
    open.delete(key)
    server.close()
    events.publish({ type: 'system.listener-closed', listener: settings.name })
  }

  const openOne = async (listener: Listener): Promise<void> => {
    const key = keyOf(listener)
    let server: Server
    try {
      server = await bind(listener, (socket) => onSocket(key, socket))
    } catch (error) {
      throw new UserError(bindProblem(listener, error))
    }
    // Out of file descriptors and the like: the listener goes on.
    server.on('error', (error) =>
      events.publish({ type: 'system.warning', text: `Listener ${listener.name}: ${errorText(error)}` }),
    )
    const { port } = server.address() as AddressInfo
    open.set(key, { settings: listener, server, port })
    events.publish({ type: 'system.listening', listener: listener.name, address: listener.address, port })
  }

  const apply = async (next: readonly Listener[]): Promise<void> => {
    const wanted = new Map(next.map((l) => [keyOf(l), l]))
    for (const key of [...open.keys()]) if (!wanted.has(key)) close(key)
    for (const [key, listener] of wanted) {
      const existing = open.get(key)
      if (existing) existing.settings = listener
      else await openOne(listener)
    }
  }

  /** Tries to bind what is not bound yet; a port that we hold ourselves is free once its listener has moved. */
  const prepare = async (next: readonly Listener[]): Promise<readonly Issue[]> => {
    const issues: Issue[] = []
    const held = new Set([...open.values()].map((o) => `${o.settings.address}|${o.port}`))
    for (const listener of next) {
      if (open.has(keyOf(listener)) || held.has(`${listener.address}|${listener.port}`)) continue
      try {
        const server = await bind(listener, (socket) => socket.destroy())
        await new Promise((resolve) => server.close(resolve))
      } catch (error) {
        const path = `listeners.${listener.name}.port`
        issues.push({ path, message: bindProblem(listener, error), severity: 'error' })
      }
    }
    return issues
  }

  const drain = async (concerned: (listener: string) => boolean, graceMs: number): Promise<void> => {
    const mine = () => [...connections].flatMap(([connection, name]) => (concerned(name) ? [connection] : []))
    const until = env.clock.monotonic() + graceMs
    while (mine().length > 0 && env.clock.monotonic() < until) {
      for (const connection of mine()) connection.stopWhenIdle()
      if (mine().length > 0) await env.clock.sleep(Math.min(50, graceMs))
    }
    for (const connection of mine()) connection.destroy()
  }

  const sweep = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await env.clock.sleep(SWEEP_MS, ended.signal)
      const now = env.clock.monotonic()
      for (const connection of connections.keys()) connection.checkTime(now)
    }
  }

  return {
    name: 'smtp-listeners',
    start: async (config) => {
      const { key, cert } = await deps.certificate()
      secureContext = createSecureContext({ key, cert, minVersion: 'TLSv1.2' })
      await apply(config.get(listenersSection))
      running = true
      since = env.clock.now()
      void sweep().catch(() => undefined)
    },
    stop: async (graceMs) => {
      running = false
      ended.abort()
      for (const key of [...open.keys()]) close(key)
      await drain(() => true, graceMs)
    },
    drain: (names, graceMs) => drain((name) => names.includes(name), graceMs),
    health: () => ({ state: running ? 'up' : 'down', detail: `${connections.size} connections`, since }),
    consumer: {
      section: listenersSection,
      prepare: async (next) => (running ? await prepare(next) : []),
      apply: async (next) => {
        if (running) await apply(next)
      },
    },
    listening: () =>
      [...open.values()].map(({ settings, port }) => ({ listener: settings.name, address: settings.address, port })),
  }
}
