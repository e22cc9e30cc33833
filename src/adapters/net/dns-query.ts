import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { connect, isIPv6 } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Fault, UserError, errorText } from '../../core/errors.ts'
import type { Env } from '../../core/env.ts'
import type { Diagnostics, DnsQuestion, DnsReply } from '../../services/diagnostics.ts'
import { decodeReply, encodeQuery, typeCode } from './dns-packet.ts'

const TIMEOUT_MS = 5000
const TRIES = 2
export const DNS_PORT = 53

export interface Exchange {
  readonly server: string
  readonly port: number
  readonly source: string | null
  readonly signal: AbortSignal
}

const failed = (server: string, error: unknown): Fault =>
  new Fault('UPSTREAM_UNAVAILABLE', `${server}: ${errorText(error)}.`, { cause: error })
const silent = (server: string): Fault => new Fault('TIMED_OUT', `No answer from ${server}.`)

/** Resolves with the first packet that answers this query from this server. */
const overUdp = async (query: Buffer, { server, port, source, signal }: Exchange): Promise<Buffer> =>
  await new Promise((resolve, reject) => {
    const family = isIPv6(server) ? 6 : 4
    // Addresses only: nothing is to be looked up on the way to a look-up.
    const socket = createSocket({ type: `udp${family}`, lookup: (host, _, done) => done(null, host, family) })
    let tries = 0
    let ended = false
    const end = (act: () => void): void => {
      if (ended) return
      ended = true
      clearInterval(timer)
      signal.removeEventListener('abort', stop)
      socket.close()
      act()
    }
    const stop = (): void => end(() => reject(signal.reason as Error))
    const send = (): void => {
      if (ended) return
      if (tries++ >= TRIES) end(() => reject(silent(server)))
      // Connected: the system drops packets of anybody else.
      else socket.send(query)
    }
    const timer = setInterval(send, TIMEOUT_MS)
    signal.addEventListener('abort', stop, { once: true })
    socket.on('error', (error) => end(() => reject(failed(server, error))))
    socket.on('message', (packet) => {
      if (packet.length >= 12 && packet.readUInt16BE(0) === query.readUInt16BE(0)) end(() => resolve(packet))
    })
    socket.on('connect', send)
    socket.bind({ port: 0, ...(source === null ? {} : { address: source }) }, () => socket.connect(port, server))
  })

/** RFC 1035 §4.2.2: two bytes of length in front. */
const overTcp = async (query: Buffer, { server, port, source, signal }: Exchange): Promise<Buffer> =>
  await new Promise((resolve, reject) => {
    const socket = connect({ host: server, port, ...(source === null ? {} : { localAddress: source }) })
    let got = Buffer.alloc(0)
    const end = (act: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      socket.destroy()
      act()
    }
    const stop = (): void => end(() => reject(signal.reason as Error))
    const timer = setTimeout(() => end(() => reject(silent(server))), TIMEOUT_MS)
    signal.addEventListener('abort', stop, { once: true })
    socket.on('error', (error) => end(() => reject(failed(server, error))))
    socket.on('end', () => end(() => reject(failed(server, 'the server closed the connection'))))
    socket.on('data', (bytes) => {
      got = Buffer.concat([got, bytes])
      const length = got.length < 2 ? Infinity : got.readUInt16BE(0)
      if (got.length >= 2 + length) end(() => resolve(got.subarray(2, 2 + length)))
    })
    const head = Buffer.alloc(2)
    head.writeUInt16BE(query.length)
    socket.write(Buffer.concat([head, query]))
  })

const decoded = (packet: Buffer, server: string): ReturnType<typeof decodeReply> => {
  try {
    return decodeReply(packet)
  } catch (error) {
    throw new Fault('UPSTREAM_UNAVAILABLE', `${server} answered with a packet that is no DNS message.`, {
      cause: error,
    })
  }
}

interface MachineServer {
  readonly server: string
  readonly port: number | null
}

/** The machine's name servers, which Node has as `127.0.0.1`, `[::1]:5353`. */
export const machineServers = (): readonly MachineServer[] =>
  getServers().map((text) => {
    const withPort = /^\[(.+)\]:(\d+)$|^([\d.]+):(\d+)$/.exec(text)
    return withPort === null
      ? { server: text, port: null }
      : { server: withPort[1] ?? withPort[3] ?? '', port: Number(withPort[2] ?? withPort[4]) }
  })

const machineServer = (): MachineServer => {
  const [first] = machineServers()
  if (first === undefined) throw new UserError('This machine has no name server; name one with @ADDRESS or dnsconfig.')
  return first
}

/** The answer to a query, over TCP when it is cut short over UDP. @throws Fault UPSTREAM_UNAVAILABLE or TIMED_OUT */
export const exchange = async (query: Buffer, to: Exchange): Promise<ReturnType<typeof decodeReply>> => {
  const reply = decoded(await overUdp(query, to), to.server)
  return reply.flags.includes('tc') ? decoded(await overTcp(query, to), to.server) : reply
}

/** One question to one server: UDP, and TCP when the answer is cut or it is asked for. */
export const dnsQuery = (
  { entropy }: Pick<Env, 'entropy'>,
  options: { readonly port?: number } = {},
): Diagnostics['dig'] => {
  const ask = async (question: DnsQuestion, signal: AbortSignal): Promise<DnsReply> => {
    signal.throwIfAborted()
    if (typeCode(question.type) === null) throw new UserError(`There is no record type ${question.type}.`)
    const machine = question.server === null ? machineServer() : null
    const server = question.server ?? machine?.server ?? ''
    const port = options.port ?? machine?.port ?? DNS_PORT
    const exchange = { server, port, source: question.source, signal }
    const query = encodeQuery(Buffer.from(entropy.bytes(2)).readUInt16BE(0), question)
    const begun = performance.now()
    const finish = (packet: Buffer, tcp: boolean): DnsReply => ({
      ...decoded(packet, server),
      server,
      port,
      milliseconds: Math.round(performance.now() - begun),
      tcp,
    })
    if (question.tcp) return finish(await overTcp(query, exchange), true)
    const reply = finish(await overUdp(query, exchange), false)
    return reply.flags.includes('tc') ? finish(await overTcp(query, exchange), true) : reply
  }
  return ask
}
