import type { AddressInfo, Server, Socket } from 'node:net'
import { holdsAddress } from '../config/host-entries.ts'
import { interfaces as interfacesSection } from '../config/sections/interfaces.ts'
import { listeners as listenersSection } from '../config/sections/listeners.ts'
import { receiving } from '../config/sections/receiving.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigConsumer, ConfigReader, ConfigSection } from '../config/section.ts'
import { errorText, Fault, UserError } from '../core/errors.ts'
import type { Issue } from '../core/errors.ts'
import { addressKey as countedAs, plainAddress } from '../core/plain-address.ts'
import type { Resolver } from '../core/resolver.ts'
import type { AddressScore } from '../intel/address-score.ts'
import { boundListener } from '../mail/smtp/bound-listener.ts'
import type { BoundListener } from '../mail/smtp/bound-listener.ts'
import type { Geolocation } from './geolocation.ts'
import { createLingeringSockets } from './lingering-sockets.ts'
import { createRecipientLimit } from './recipient-limit.ts'
import { createSenderDomains } from './sender-domain.ts'
import { takeProxyHeader } from './proxy-header.ts'
import type { Service } from './service.ts'
import { bind, bindProblem } from './smtp-bind.ts'
import { createSmtpAdmission, scoreText } from './smtp-admission.ts'
import type { Admitted } from './smtp-admission.ts'
import { SmtpConnection } from './smtp-connection.ts'
import type { SmtpConnectionDeps } from './smtp-connection-deps.ts'
import type { SmtpCertificates } from './smtp-certificates.ts'
import type { Suspensions } from './suspensions.ts'

export type SmtpListenersDeps = Omit<
  SmtpConnectionDeps,
  'tls' | 'budget' | 'lingering' | 'senders' | 'limit' | 'identify'
> & {
  readonly resolver: Resolver
  readonly config: ConfigReader
  /** What the intelligence service says of a client's address; it has its own time-out and never rejects. */
  readonly addressScore?: ((address: string) => Promise<AddressScore>) | undefined
  /** In which country a client's address is, from memory. */
  readonly locate?: Geolocation['of'] | undefined
  readonly suspensions: Pick<Suspensions, 'receiving'>
  readonly certificates: Pick<SmtpCertificates, 'start' | 'of'>
  /** Told what the operator at the terminal should know. */
  readonly notice?: ((line: string) => void) | undefined
  /** Binds a port below 1024 while root is still at hand. */
  readonly asRoot?: (<T>(bind: () => Promise<T>) => Promise<T>) | undefined
}

export interface SmtpListeners extends Service {
  readonly consumers: readonly ConfigConsumer<never>[]
  /** Ends the connections of listeners: idle ones at once, the others after `graceMs`. */
  drain(listeners: readonly string[], graceMs: number): Promise<void>
  /** Where it listens now, by listener name. */
  listening(): readonly { readonly listener: string; readonly address: string; readonly port: number }[]
}

interface Open {
  /** The newest settings; a connection keeps those it began with. */
  settings: BoundListener
  readonly server: Server
  readonly port: number
}

const SWEEP_MS = 5000
const PRIVILEGED = 1024
const FAULT_SECONDS = 60

/** Two listeners with the same key share a socket: only a change of address or port moves it. */
const keyOf = (l: BoundListener): string => `${l.address}|${l.port === 0 ? `free:${l.name}` : l.port}`

/** With their addresses; a listener whose interface is gone has none, and verification refuses that. */
const bound = (config: ConfigReader): readonly BoundListener[] => {
  const settings = config.get(interfacesSection)
  return config.get(listenersSection).flatMap((l) => boundListener(l, settings) ?? [])
}

/** SMTP reception: opens, moves and closes listeners as committed, and owns their connections. */
export const createSmtpListeners = (deps: SmtpListenersDeps): SmtpListeners => {
  const { env, events, ids } = deps
  const admission = createSmtpAdmission({
    resolver: deps.resolver,
    clock: env.clock,
    score: deps.addressScore ?? (() => Promise.resolve({ kind: 'none' })),
    locate: deps.locate ?? (() => ({ kind: 'not enabled' })),
  })
  const open = new Map<string, Open>()
  /** Clients about whom the Host Access Table is still being asked, with their listener. */
  const arriving = new Map<Socket, string>()
  /** With the listener of each. */
  const connections = new Map<SmtpConnection, string>()
  const perListener = new Map<string, number>()
  /** Let in, by listener and address. */
  const perAddress = new Map<string, number>()
  /** The same with those who are arriving. */
  const here = new Map<string, number>()
  const budget = { held: 0, secure: 0 }
  const faults = createRecipientLimit(env.clock)
  let running = false
  let since = env.clock.now()
  const ended = new AbortController()
  const connectionDeps: SmtpConnectionDeps = {
    ...deps,
    budget,
    lingering: createLingeringSockets(env.clock),
    tls: deps.certificates.of,
    senders: createSenderDomains(deps.resolver, env.clock),
    limit: createRecipientLimit(env.clock),
    identify: admission.identify,
  }

  const count = (map: Map<string, number>, key: string, by: 1 | -1): void => {
    const n = (map.get(key) ?? 0) + by
    if (n > 0) map.set(key, n)
    else map.delete(key)
  }

  const hostnameOf = ({ hostname }: BoundListener): string =>
    hostname === '' ? deps.config.get(system).hostname : hostname

  const refuse = (
    socket: Socket,
    listener: BoundListener,
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
    socket.resume()
    dismiss(socket, listener, reply)
  }

  /** The last words to a client without a conversation. One that expects TLS could not read them. */
  const dismiss = (socket: Socket, { implicitTls }: BoundListener, reply: string): void => {
    socket.on('error', () => undefined)
    if (implicitTls) return void socket.destroy()
    socket.setTimeout(5000, () => socket.destroy())
    socket.end(reply, () => socket.destroy())
  }

  /** Above all policies: what one address may have open at all while nobody has decided about it. */
  const mostPerAddress = (l: BoundListener): number =>
    Math.max(l.maxConcurrencyPerAddress, ...l.hostAccess.policies.map((p) => p.maxConcurrencyPerAddress ?? 0))

  const onSocket = (key: string, socket: Socket): void => {
    const listener = open.get(key)?.settings
    const peer = plainAddress(socket.remoteAddress ?? '')
    if (!listener || peer === '') return void socket.destroy()
    if (listener.proxyAddresses.length === 0 || !holdsAddress(listener.proxyAddresses, peer))
      return onClient(listener, socket, peer)
    const fail = (): void => void socket.destroy()
    socket.on('error', fail)
    arriving.set(socket, listener.name)
    void takeProxyHeader(socket, env.clock)
      .then((client) => {
        socket.removeListener('error', fail)
        onClient(listener, socket, plainAddress(client ?? peer))
      }, fail)
      .finally(() => arriving.delete(socket))
  }

  const onClient = (listener: BoundListener, socket: Socket, remoteAddress: string): void => {
    const hostname = hostnameOf(listener)
    const { maxConcurrency } = deps.config.get(receiving)
    const total = connections.size + arriving.size
    const tooMany = `421 4.3.2 ${hostname} too many connections, try again later\r\n`
    try {
      if (deps.suspensions.receiving(listener.name)) {
        const suspended = `421 4.3.2 ${hostname} does not receive at the moment, try again later\r\n`
        return refuse(socket, listener, remoteAddress, suspended, 'Receiving is suspended')
      }
      if (total >= maxConcurrency || (perListener.get(listener.name) ?? 0) >= listener.maxConcurrency)
        return refuse(socket, listener, remoteAddress, tooMany)
      const addressKey = `${listener.name}|${countedAs(remoteAddress)}`
      if ((here.get(addressKey) ?? 0) >= mostPerAddress(listener))
        return refuse(socket, listener, remoteAddress, tooManyOf(hostname))
      arrive(listener, socket, remoteAddress, addressKey).catch((error: unknown) => fault(socket, listener, error))
    } catch (error) {
      fault(socket, listener, error)
    }
  }

  const tooManyOf = (hostname: string): string => `421 4.7.0 ${hostname} too many connections from your address\r\n`

  /** A store that has no room or no id left is the operator's business, anything else our mistake: both are told. */
  const fault = (socket: Socket, listener: BoundListener, error: unknown): void => {
    const code = error instanceof Fault ? error.code : 'INTERNAL'
    const store = code.startsWith('STORE_')
    // A full disk meets every client: it is told once a minute.
    if (faults.take(code, 1, FAULT_SECONDS)) {
      const reference = Buffer.from(env.entropy.bytes(4)).toString('hex')
      const where = 'SMTP connection'
      events.publish({ type: 'system.fault', code, where, error: errorText(error), reference })
    }
    const words = store ? '4.3.1 %s has no room for connections' : '4.3.0 %s has a problem of its own'
    dismiss(socket, listener, `421 ${words.replace('%s', hostnameOf(listener))}, try again later\r\n`)
  }

  const arrive = async (
    listener: BoundListener,
    socket: Socket,
    remoteAddress: string,
    addressKey: string,
  ): Promise<void> => {
    const fail = (): void => void socket.destroy()
    socket.on('error', fail)
    arriving.set(socket, listener.name)
    count(here, addressKey, 1)
    count(perListener, listener.name, 1)
    const leave = (): void => {
      count(here, addressKey, -1)
      count(perListener, listener.name, -1)
    }
    let admitted: Admitted
    try {
      admitted = await admission.admit(listener, remoteAddress)
    } catch (error) {
      leave()
      throw error
    } finally {
      arriving.delete(socket)
      socket.removeListener('error', fail)
    }
    const hostname = hostnameOf(listener)
    const { flow } = admitted.decision
    if (flow.behaviour === 'TCPREFUSE') {
      leave()
      socket.on('error', fail)
      socket.resetAndDestroy()
      return await tellRefusal(admitted)
    }
    let icid: number
    try {
      if ((perAddress.get(addressKey) ?? 0) >= flow.maxConcurrencyPerAddress) {
        leave()
        return refuse(socket, listener, remoteAddress, tooManyOf(hostname))
      }
      icid = ids.next('icid')
    } catch (error) {
      leave()
      throw error
    }
    const client = { icid, listener, hostname, admitted, remoteAddress }
    const connection = new SmtpConnection(connectionDeps, client, socket, () => {
      if (!connections.delete(connection)) return
      leave()
      count(perAddress, addressKey, -1)
    })
    connections.set(connection, listener.name)
    count(perAddress, addressKey, 1)
    await connection.start()
  }

  /** A client that is refused by TCP never becomes a connection: AsyncOS writes its line with ICID 0. */
  const tellRefusal = async ({ decision, score, country }: Admitted): Promise<void> =>
    events.publish({
      type: 'connection.policy',
      icid: 0,
      behaviour: 'TCPREFUSE',
      senderGroup: decision.senderGroup,
      match: decision.match,
      reputation: scoreText(await score),
      country,
    })

  const close = (key: string): void => {
    const { server, settings } = open.get(key) as Open
    open.delete(key)
    server.close()
    events.publish({ type: 'system.listener-closed', listener: settings.name })
  }

  const openOne = async (listener: BoundListener): Promise<void> => {
    const key = keyOf(listener)
    let server: Server
    try {
      const open = (): Promise<Server> => bind(listener, (socket) => onSocket(key, socket))
      server = await (deps.asRoot && listener.port < PRIVILEGED ? deps.asRoot(open) : open())
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

  const apply = async (next: readonly BoundListener[]): Promise<void> => {
    const wanted = new Map(next.map((l) => [keyOf(l), l]))
    for (const key of [...open.keys()]) if (!wanted.has(key)) close(key)
    for (const [key, listener] of wanted) {
      const existing = open.get(key)
      if (existing) existing.settings = listener
      else await openOne(listener)
    }
  }

  /** At start: what cannot be bound is told, and the others work. @throws UserError when none can. */
  const openAll = async (all: readonly BoundListener[]): Promise<void> => {
    const failures: UserError[] = []
    for (const listener of all)
      await openOne(listener).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error
        failures.push(error)
      })
    if (failures[0] && open.size === 0) throw failures[0]
    for (const { message } of failures) {
      events.publish({ type: 'system.warning', text: message })
      deps.notice?.(message)
    }
  }

  /** Tries to bind what is not bound yet; a port that we hold ourselves is free once its listener has moved. */
  const prepare = async (next: readonly BoundListener[]): Promise<readonly Issue[]> => {
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
    for (const [socket, name] of arriving) if (concerned(name)) socket.destroy()
    for (const connection of mine()) connection.destroy()
  }

  const sweep = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await env.clock.sleep(SWEEP_MS, ended.signal)
      const now = env.clock.monotonic()
      for (const connection of connections.keys()) connection.checkTime(now)
    }
  }

  /** A listener follows its interface: a change of either is looked at with the other. */
  const consumer = <T>(section: ConfigSection<T>): ConfigConsumer<never> => ({
    section: section as unknown as ConfigSection<never>,
    prepare: async (_next, _previous, whole) => (running ? await prepare(bound(whole)) : []),
    apply: async (_next, _previous, whole) => {
      if (running) await apply(bound(whole))
    },
  })

  return {
    name: 'smtp-listeners',
    start: async (config) => {
      await deps.certificates.start()
      await openAll(bound(config))
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
    consumers: [consumer(listenersSection), consumer(interfacesSection)],
    listening: () =>
      [...open.values()].map(({ settings, port }) => ({ listener: settings.name, address: settings.address, port })),
  }
}
