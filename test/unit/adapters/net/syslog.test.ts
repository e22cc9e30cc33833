import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { makeCertificate } from '../../../../src/adapters/crypto/x509.ts'
import { createSyslog } from '../../../../src/adapters/net/syslog.ts'
import type { SyslogPush } from '../../../../src/config/sections/log-subscriptions.ts'
import { UserError } from '../../../../src/core/errors.ts'
import { testEnv } from '../../../support/env.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const certificate = (name: string) =>
  makeCertificate({
    names: [name],
    from: new Date(Date.now() - 3_600_000),
    until: new Date(Date.now() + 86_400_000),
    serial: new Uint8Array(16).fill(7),
  })
const good = certificate('127.0.0.1')

/** A syslog server on loopback: what came, and the connections that it has. */
const serve = async (make: (on: (socket: Socket) => void) => Server, port = 0) => {
  let text = ''
  let accepted = 0
  const sockets = new Set<Socket>()
  const server = make((socket) => {
    accepted++
    sockets.add(socket)
    socket.on('data', (bytes) => (text += bytes.toString()))
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const close = async (): Promise<void> => {
    hangUp()
    await new Promise((resolve) => server.close(resolve))
  }
  stops.push(close)
  return {
    port: (server.address() as AddressInfo).port,
    text: () => text,
    accepted: () => accepted,
    sockets,
    hangUp,
    close,
  }
}
const tcp = async (port?: number) => await serve((on) => createServer(on), port)
const tls = async (pair = good) => await serve((on) => createTlsServer({ key: pair.key, cert: pair.cert }, on))

const open = (
  over: Partial<SyslogPush>,
  resolve: (name: string) => Promise<unknown> = () => Promise.reject(new Error()),
) => {
  const env = testEnv()
  /** The chance in each wait, always the most. */
  const chances: number[] = []
  const int = (max: number): number => chances.push(max) && max - 1
  const failing: string[] = []
  const lost: number[] = []
  const network = createSyslog({
    env: { clock: env.clock, entropy: { ...env.entropy, int } },
    resolver: { resolve, reverse: () => Promise.resolve([]) },
    authorities: (path) => {
      if (path === '/ca.pem') return good.cert
      throw new UserError(`The CA file ${path} cannot be read.`)
    },
  })
  const target: SyslogPush = {
    host: '127.0.0.1',
    port: 0,
    protocol: 'tcp',
    facility: 'mail',
    maxBytes: 1024,
    caFile: null,
    ...over,
  }
  const sender = network.open(target, { failing: (e) => failing.push(e), lost: (n) => lost.push(n) })
  let closed: Promise<void> | null = null
  const close = async (): Promise<void> => await (closed ??= sender.close())
  stops.push(async () => {
    const ending = close()
    await env.clock.advance(2000)
    await ending
  })
  const send = (message: string): void => sender.send(message)
  return { network, target, send, close, clock: env.clock, chances, failing, lost }
}

describe('syslog push', () => {
  it('sends a datagram for each message, to the address of the name', async () => {
    const socket = createSocket('udp4')
    const came: string[] = []
    socket.on('message', (bytes) => came.push(bytes.toString()))
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    stops.push(() => new Promise<void>((resolve) => socket.close(resolve)))
    const { send, failing } = open({ protocol: 'udp', host: 'logs.example.com', port: socket.address().port }, (name) =>
      Promise.resolve(name === 'logs.example.com' ? ['127.0.0.1'] : []),
    )
    send('<22>one')
    send('<22>two €')
    await vi.waitFor(() => expect([came, failing]).toEqual([['<22>one', '<22>two €'], []]))
  })

  it('sends a line for each message over TCP', async () => {
    const server = await tcp()
    const { send, close } = open({ port: server.port })
    send('<22>one')
    send('<22>two')
    await vi.waitFor(() => expect(server.text()).toBe('<22>one\n<22>two\n'))
    await close()
    await vi.waitFor(() => expect(server.sockets.size).toBe(0))
    expect(server.accepted()).toBe(1)
  })

  it('counts bytes over TLS, to a server whose certificate is good', async () => {
    const server = await tls()
    const { send, failing } = open({ protocol: 'tls', port: server.port, caFile: '/ca.pem' })
    send('<22>one €')
    await vi.waitFor(() => expect(server.text()).toBe('11 <22>one €'))
    expect(failing).toEqual([])
  })

  it.each([
    ['of an unknown authority', good, null, /self-signed/],
    ['for another name', certificate('other.example.com'), '/ca.pem', /self-signed|altnames/],
  ] as const)('tells nothing to a TLS server with a certificate %s', async (_what, pair, caFile, reason) => {
    const server = await tls(pair)
    const { send, failing, lost, close } = open({ protocol: 'tls', port: server.port, caFile })
    send('<22>secret')
    await vi.waitFor(() => expect(failing).toEqual([expect.stringMatching(reason)]))
    await close()
    expect(server.text()).toBe('')
    expect(lost).toEqual([1])
  })

  it('refuses a certificate of the right authority for another address', async () => {
    const server = await tls(good)
    const { send, failing } = open(
      { protocol: 'tls', host: 'logs.example.com', port: server.port, caFile: '/ca.pem' },
      () => Promise.resolve(['127.0.0.1']),
    )
    send('<22>secret')
    await vi.waitFor(() => expect(failing).toEqual([expect.stringMatching(/altnames/)]))
    expect(server.text()).toBe('')
  })

  it('waits longer each time while the server is away, tells it once, and then sends everything in order', async () => {
    const first = await tcp()
    const { port } = first
    await first.close()
    const { send, failing, lost, clock, chances } = open({ port })
    send('<22>one')
    await vi.waitFor(() => expect(chances).toEqual([501]))
    expect(failing).toEqual(['connection refused'])
    await clock.advance(1000)
    await vi.waitFor(() => expect(chances).toEqual([501, 1001]))
    const server = await tcp(port)
    send('<22>two')
    await clock.advance(1999)
    expect(server.accepted()).toBe(0)
    await clock.advance(1)
    await vi.waitFor(() => expect(server.text()).toBe('<22>one\n<22>two\n'))
    expect(failing).toHaveLength(1)
    expect(lost).toEqual([])
  })

  it('drops the oldest when too many wait, and tells how many once it works again', async () => {
    const first = await tcp()
    const { port } = first
    await first.close()
    const { send, failing, lost, clock } = open({ port })
    send('<22>begin')
    await vi.waitFor(() => expect(failing).toHaveLength(1))
    for (let i = 1; i <= 10_002; i++) send(`<22>${i}`)
    expect(lost).toEqual([])
    const server = await tcp(port)
    await clock.advance(1000)
    await vi.waitFor(() => expect(server.text()).toMatch(/<22>10002\n$/))
    expect(server.text()).toMatch(/^<22>3\n<22>4\n/)
    expect(lost).toEqual([3])
  })

  it('connects again when the server hung up: at once when it had lasted, without a word', async () => {
    const server = await tcp()
    const { send, failing, clock } = open({ port: server.port })
    send('<22>one')
    await vi.waitFor(() => expect(server.text()).toBe('<22>one\n'))
    await clock.advance(30_000)
    server.hangUp()
    await vi.waitFor(() => expect(server.sockets.size).toBe(0))
    send('<22>two')
    await vi.waitFor(() => expect(server.text()).toBe('<22>one\n<22>two\n'))
    expect([failing, server.accepted()]).toEqual([[], 2])
  })

  it('gives up a server that takes nothing, and ends within its grace', async () => {
    const server = await serve((on) => createServer({ pauseOnConnect: true }, on))
    const { send, failing, lost, close, clock } = open({ port: server.port })
    const big = `<22>${'x'.repeat(60_000)}`
    for (let i = 0; i < 130; i++) send(big)
    await vi.waitFor(() => expect(server.accepted()).toBe(1))
    const ending = close()
    await clock.advance(2000)
    await ending
    expect(failing).toEqual([])
    expect(lost[0]).toBeGreaterThan(0)
    expect(clock.waiting).toBe(0)
  })

  it('names a CA file that cannot be used', () => {
    const { network, target } = open({})
    const tlsTarget = { ...target, protocol: 'tls' as const }
    expect(network.problem({ ...tlsTarget, caFile: '/none.pem' })).toBe('The CA file /none.pem cannot be read.')
    expect(network.problem({ ...tlsTarget, caFile: '/ca.pem' })).toBeNull()
    expect(network.problem(tlsTarget)).toBeNull()
  })
})
