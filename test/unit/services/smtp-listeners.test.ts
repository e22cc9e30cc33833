import { statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultHostAccess } from '../../../src/config/sections/host-access.ts'
import { defaultListener, listeners } from '../../../src/config/sections/listeners.ts'
import { receiving } from '../../../src/config/sections/receiving.ts'
import type { Resolver } from '../../../src/core/resolver.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { mailPath, noDns } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'
import { SmtpClient } from '../../support/smtp-client.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const started = async (options: MailPathOptions = {}) => {
  const path = await mailPath(options)
  stops.push(path.stop)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}
/** What the committed configuration makes of the listeners. */
type Path = Awaited<ReturnType<typeof started>>
const unused = undefined as never
const prepared = async ({ smtp, config }: Path) => await smtp.consumers[0]?.prepare?.(unused, unused, config)
const applied = async ({ smtp, config }: Path) => await smtp.consumers[0]?.apply(unused, unused, config)
const raw = (port: number, host = '127.0.0.1', localAddress = '127.0.0.1') => {
  const socket = connect({ port, host, localAddress })
  socket.on('error', () => undefined)
  stops.push(() => socket.destroy())
  return socket
}
const textUntil = async (socket: Socket, end: RegExp): Promise<string> =>
  await new Promise((resolve) => {
    let text = ''
    socket.on('data', (d: Buffer) => {
      text += d.toString('latin1')
      if (end.test(text)) resolve(text)
    })
    socket.on('close', () => resolve(text))
  })

describe('the listeners', () => {
  it('name a client by its verified reverse name, and greet before that is known', async () => {
    let release: () => void = () => undefined
    const waiting = new Promise<void>((resolve) => (release = resolve))
    const resolver: Resolver = {
      reverse: () => waiting.then(() => ['liar.example', 'client.example.']),
      resolve: (name) => Promise.resolve(name.startsWith('client') ? ['127.0.0.1'] : ['192.0.2.9']),
    }
    const path = await started({ resolver })
    const socket = raw(path.port())
    expect(await textUntil(socket, /\r\n/)).toBe('220 mail.example.com ESMTP\r\n')
    expect(path.of('connection.opened')).toEqual([])
    release()
    await path.until('connection.policy')
    expect(path.of('connection.opened')[0]).toMatchObject({
      interfaceName: 'Data 1',
      remoteAddress: '127.0.0.1',
      reverseHost: 'client.example',
      reverseVerified: true,
    })
    expect(path.of('connection.policy')[0]).toMatchObject({
      behaviour: 'ACCEPT',
      senderGroup: 'UNKNOWNLIST',
      match: 'sbrs[none]',
      reputation: 'None',
    })
  })

  it('go on without a reverse name when the look-up hangs', async () => {
    const clock = new FakeClock()
    const path = await started({ clock, resolver: { ...noDns, reverse: () => new Promise(() => undefined) } })
    const socket = raw(path.port())
    await textUntil(socket, /220/)
    while (clock.waiting < 2) await settle()
    await clock.advance(1000)
    expect(path.of('connection.opened')[0]).toMatchObject({ reverseHost: null, reverseVerified: false })
  })

  it('speak TLS after STARTTLS with a certificate made on first start', async () => {
    const path = await started({ listener: { tls: 'required' } })
    const socket = raw(path.port())
    await textUntil(socket, /220/)
    socket.write('EHLO x\r\n')
    await textUntil(socket, /250 STARTTLS/)
    // Plaintext in the same packet is never a command.
    socket.write('STARTTLS\r\nMAIL FROM:<injected@evil.example>\r\n')
    await textUntil(socket, /220 2\.0\.0/)
    socket.removeAllListeners('data')
    const secure = connectTls({ socket, rejectUnauthorized: false })
    await new Promise((resolve) => secure.once('secureConnect', resolve))
    secure.write(
      'EHLO y\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n',
    )
    const text = await textUntil(secure, /221/)
    expect(text).not.toContain('STARTTLS')
    expect(text).toContain('250 2.0.0 ok: Message 1 accepted\r\n')
    expect(path.of('connection.tls')[0]).toMatchObject({ icid: 1, protocol: 'TLSv1.3' })
    expect(path.of('message.sender').map((e) => e.sender)).toEqual(['a@b.example'])
    expect(path.spool.entry(1)?.trace).toContain('with ESMTPS id')
    expect(statSync(join(path.home, 'keys', 'smtp.pem')).mode & 0o777).toBe(0o600)
    expect(secure.getPeerCertificate().subject.CN).toBe('mail.example.com')
  })

  it('speak TLS from the first byte where the listener says so (RFC 8314)', async () => {
    const path = await started({ listener: { implicitTls: true, tls: 'off', smtpAuth: 'preferred' } })
    const secure = connectTls({ port: path.port(), host: '127.0.0.1', rejectUnauthorized: false })
    stops.push(() => secure.destroy())
    secure.on('error', () => undefined)
    expect(await textUntil(secure, /\r\n/)).toMatch(/^220 mail\.example\.com/)
    secure.write(
      'EHLO y\r\nSTARTTLS\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n',
    )
    const text = await textUntil(secure, /221/)
    expect(text).toContain('250 AUTH PLAIN LOGIN\r\n502 ')
    expect(text).toContain('Message 1 accepted')
    expect(path.spool.entry(1)?.trace).toContain('with ESMTPS id')
    const order = path.log.map((e) => e.type).filter((t) => /^connection\.(opened|tls|closed)/.test(t))
    expect(order).toEqual(['connection.opened', 'connection.tls', 'connection.closed'])
  })

  it('end a client that does not speak the TLS with which its listener begins, in silence', async () => {
    const path = await started({ listener: { implicitTls: true } })
    const socket = raw(path.port())
    socket.write('EHLO x\r\nMAIL FROM:<a@b.example>\r\n')
    expect(await textUntil(socket, /250/)).not.toMatch(/[23]\d\d /)
    raw(path.port()).once('connect', function (this: Socket) {
      this.resetAndDestroy()
    })
    await path.until('connection.closed', 2)
    expect(path.of('connection.tls-failed')).toHaveLength(2)
    path.config.set(receiving, { ...receiving.defaults, maxTlsConcurrency: 1 })
    const secure = () => connectTls({ port: path.port(), host: '127.0.0.1', rejectUnauthorized: false })
    const first = secure()
    stops.push(() => first.destroy())
    expect(await textUntil(first, /\r\n/)).toMatch(/^220 /)
    const second = secure()
    second.on('error', () => undefined)
    expect(await textUntil(second, /\r\n/)).toBe('')
    await path.until('connection.receiving-failed')
    expect(path.of('connection.receiving-failed')[0]?.reason).toBe('TLS connection limit exceeded')
  })

  it('tell of a failed handshake', async () => {
    const path = await started()
    const socket = raw(path.port())
    await textUntil(socket, /220/)
    socket.write('EHLO x\r\nSTARTTLS\r\n')
    await textUntil(socket, /220 2\.0\.0/)
    socket.write('this is not TLS at all\r\n')
    await path.until('connection.closed')
    expect(path.of('connection.tls-failed')).toHaveLength(1)
    expect(path.of('connection.closed')[0]).toMatchObject({ how: 'lost' })
  })

  it('leave a client that goes on behind QUIT all its replies', async () => {
    const path = await started()
    const message = 'MAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nx\r\n.\r\n'
    const socket = raw(path.port())
    // Who writes to a connection that was reset has an error before the replies.
    socket.pause()
    socket.write(`EHLO x\r\n${message}QUIT\r\nNOOP\r\n`)
    await path.until('connection.closed')
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => socket.write('NOOP\r\n', resolve))
      await settle()
    }
    expect(await textUntil(socket.resume(), /221/)).toMatch(/Message \d+ accepted\r\n221/)
  })

  it('end a socket after its last reply, whatever its client goes on to send', async () => {
    const clock = new FakeClock()
    const path = await started({ clock })
    const socket = connect({ port: path.port(), host: '127.0.0.1', allowHalfOpen: true })
    stops.push(() => socket.destroy())
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write('QUIT\r\n')
    expect(await textUntil(socket, /221/)).toContain('221')
    socket.write('still here\r\n')
    await path.until('connection.closed')
    for (let second = 0; second < 5; second++) {
      await clock.advance(1000)
      socket.write('x')
    }
    // Its own end came long ago: only a write meets the closed socket.
    const drip = setInterval(() => socket.write('x'), 1)
    stops.push(() => clearInterval(drip))
    await gone
  })

  it('answer 421 to an address over its cap, and not to another address', async () => {
    const path = await started({ listener: { maxConcurrencyPerAddress: 2 } })
    const first = [raw(path.port()), raw(path.port())]
    for (const socket of first) await textUntil(socket, /220/)
    expect(await textUntil(raw(path.port()), /\r\n/)).toMatch(/^421 4\.7\.0 /)
    expect(await textUntil(raw(path.port(), '127.0.0.1', '127.0.0.2'), /\r\n/)).toMatch(/^220 /)
    expect(path.of('connection.receiving-failed')[0]?.reason).toBe('Connection limit exceeded')
    first[0]?.destroy()
    await path.until('connection.closed', 2)
    expect(await textUntil(raw(path.port()), /\r\n/)).toMatch(/^220 /)
  })

  it('close a client that says nothing, with 421', async () => {
    const clock = new FakeClock()
    const path = await started({ clock })
    const socket = raw(path.port())
    await textUntil(socket, /220/)
    await path.until('connection.policy')
    await clock.advance(295_000)
    expect(path.of('connection.closed')).toEqual([])
    const rest = textUntil(socket, /\r\n/)
    await clock.advance(10_000)
    expect(await rest).toMatch(/^421 4\.4\.2 /)
    expect(path.of('connection.closed')[0]).toMatchObject({ how: 'timeout' })
  })

  it('relay for relay hosts and refuse everybody else on a private listener', async () => {
    const path = await started({
      listener: { type: 'private', hostAccess: defaultHostAccess('private', ['127.0.0.0/30']) },
    })
    const client = await SmtpClient.open(path.port())
    await client.command('MAIL FROM:<a@example.com>', 250)
    await client.command('RCPT TO:<x@anywhere.example>', 250)
    expect(path.of('connection.policy')[0]).toMatchObject({
      behaviour: 'RELAY',
      senderGroup: 'RELAYLIST',
      match: '127.0.0.0/30',
    })
    client.close()
    expect(await textUntil(raw(path.port(), '127.0.0.1', '127.0.0.9'), /\r\n/)).toMatch(/^554 5\.7\.1 /)
    expect(path.of('connection.policy')[1]).toMatchObject({ behaviour: 'REJECT', senderGroup: null })
  })

  it('answer a client that has closed its side already', async () => {
    const path = await started()
    const socket = connect({ port: path.port(), host: '127.0.0.1', allowHalfOpen: true })
    stops.push(() => socket.destroy())
    socket.end('EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n')
    expect(await textUntil(socket, /221/)).toContain('Message 1 accepted')
  })

  it('open, move and close at commit without touching the others or sessions under way', async () => {
    const path = await started()
    const before = path.config.get(listeners)
    const stay = path.smtp.listening()[0]
    const client = await SmtpClient.open(path.port())
    const second = { ...defaultListener, name: 'Second', port: 0 }
    path.config.set(listeners, [...before, second])
    await applied(path)
    expect(path.smtp.listening().map((l) => l.listener)).toEqual(['IncomingMail', 'Second'])
    expect(path.smtp.listening()[0]).toEqual(stay)
    path.config.set(listeners, [second])
    await applied(path)
    expect(path.smtp.listening().map((l) => l.listener)).toEqual(['Second'])
    expect(path.of('system.listener-closed')).toEqual([{ type: 'system.listener-closed', listener: 'IncomingMail' }])
    expect((await client.send({ from: '', to: ['c@example.com'] }, Buffer.from('x\r\n'))).code).toBe(250)
    client.close()
  })

  it('give the place of a TLS connection back when its client is gone before TLS begins', async () => {
    const path = await started()
    path.config.set(receiving, { ...receiving.defaults, maxTlsConcurrency: 2 })
    for (let i = 0; i < 20; i++) {
      const socket = raw(path.port())
      await textUntil(socket, /\r\n/)
      socket.write('EHLO x\r\nSTARTTLS\r\n', () => socket.resetAndDestroy())
    }
    await path.until('connection.closed', 20)
    const socket = raw(path.port())
    socket.write('EHLO x\r\nSTARTTLS\r\n')
    expect(await textUntil(socket, /220 2|454/)).toContain('220 2.0.0')
  })

  it('refuse a commit whose port is taken, with a line that says so', async () => {
    const path = await started()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    stops.push(() => other.close())
    const { port } = other.address() as AddressInfo
    const before = path.config.get(listeners)
    path.config.set(listeners, [...before, { ...defaultListener, name: 'Second', port }])
    const issues = await prepared(path)
    expect(issues).toEqual([
      {
        path: 'listeners.Second.port',
        message: `Listener Second cannot listen on 127.0.0.1 port ${port}: the port is in use by another program.`,
        severity: 'error',
      },
    ])
    const own = { ...defaultListener, name: 'Moved', port: path.port() }
    path.config.set(listeners, [own])
    expect(await prepared(path)).toEqual([])
  })
})
