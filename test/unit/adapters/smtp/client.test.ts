import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { certificateFile, startTlsFile } from '../../../../src/adapters/crypto/certificate.ts'
import { createSmtpClient } from '../../../../src/adapters/smtp/client.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { systemEntropy } from '../../../../src/core/entropy.ts'
import { tlsDemand } from '../../../../src/mail/delivery/tls-demand.ts'
import type { SmtpClientOptions } from '../../../../src/mail/delivery/transport.ts'
import { scriptedSmtp } from '../../../support/scripted-smtp.ts'
import { temporaryHome } from '../../../support/spool.ts'

const stops: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const never = () => new AbortController().signal
const options = (over: Partial<SmtpClientOptions> = {}): SmtpClientOptions => ({
  hostname: 'mail.example.com',
  connectTimeoutMs: 2000,
  replyTimeoutMs: 2000,
  tls: tlsDemand('no', 'mx.example', 'd.example'),
  auth: null,
  localAddress: null,
  ...over,
})

/** A host with STARTTLS whose certificate is for mx.example and signed by itself. */
const secureHost = async (handshakes: boolean) => {
  const temporary = temporaryHome()
  stops.push(() => temporary.remove())
  const made = await certificateFile(startTlsFile(temporary.home), ['mx.example'], {
    clock: systemClock,
    entropy: systemEntropy,
  })
  const secureContext = createSecureContext({ key: made.key, cert: made.cert })
  const sockets = new Set<Socket>()
  const heard: string[] = []
  const talk = (socket: Socket): void => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes) => {
        for (const line of bytes.toString().split('\r\n').slice(0, -1)) {
          heard.push(line)
          if (line === 'STARTTLS') {
            socket.removeAllListeners('data')
            return void socket.write('220 go\r\n', () => {
              if (handshakes) talk(new TLSSocket(socket, { isServer: true, secureContext }))
              else socket.destroy()
            })
          }
          socket.write(
            line.startsWith('EHLO')
              ? '250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n'
              : line.startsWith('AUTH')
                ? '235 ok\r\n'
                : '250 ok\r\n',
          )
        }
      })
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.write('220 mx\r\n')
    talk(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { target: { address: '127.0.0.1', port, host: 'mx.example' }, authority: String(made.cert), heard }
}

describe('TLS to a host', () => {
  it('is proven when the certificate is for its name by a trusted authority', async () => {
    const { target, authority } = await secureHost(true)
    const client = createSmtpClient({ clock: systemClock, authorities: [authority] })
    const sending = await client.connect(
      target,
      options({ tls: tlsDemand('required_verify', 'mx.example', 'd.example') }),
      never(),
    )
    expect(sending.tls).toMatchObject({ verified: true, problem: null })
    sending.quit()
  })

  it('is left unused when the certificate is for another name, and says whose it is', async () => {
    const { target, authority } = await secureHost(true)
    const client = createSmtpClient({ clock: systemClock, authorities: [authority] })
    const tls = tlsDemand('required_verify', 'other.example', 'd.example')
    await expect(client.connect(target, options({ tls }), never())).rejects.toMatchObject({
      failure: { permanent: false, status: '4.7.4' },
      tlsFailure: expect.stringContaining('mx.example) is not for other.example or d.example') as string,
    })
  })

  it('is left unused when nobody trusted signed the certificate, unless no proof is asked', async () => {
    const { target } = await secureHost(true)
    const client = createSmtpClient({ clock: systemClock })
    const strict = options({ tls: tlsDemand('required_verify', 'mx.example', 'd.example') })
    await expect(client.connect(target, strict, never())).rejects.toThrow('cannot be verified')
    const sending = await client.connect(
      target,
      options({ tls: tlsDemand('required', 'mx.example', 'd.example') }),
      never(),
    )
    expect(sending.tls).toMatchObject({ verified: false })
    sending.quit()
  })

  it('that breaks in the handshake leaves plain text where it is preferred, and nothing where it is required', async () => {
    const { target } = await secureHost(false)
    const client = createSmtpClient({ clock: systemClock })
    const sending = await client.connect(
      target,
      options({ tls: tlsDemand('preferred', 'mx.example', 'd.example') }),
      never(),
    )
    expect(sending.tls).toBeNull()
    expect(sending.tlsFailure).not.toBeNull()
    sending.quit()
    const tls = tlsDemand('required', 'mx.example', 'd.example')
    await expect(client.connect(target, options({ tls }), never())).rejects.toMatchObject({
      failure: { status: '4.7.4' },
    })
  })

  it('comes before a passphrase', async () => {
    const { target, heard } = await secureHost(true)
    const client = createSmtpClient({ clock: systemClock })
    const auth = { user: 'gate', passphrase: 'secret' }
    const tls = tlsDemand('preferred', 'mx.example', 'd.example')
    const sending = await client.connect(target, options({ tls, auth }), never())
    sending.quit()
    expect(heard.findIndex((l) => l.startsWith('AUTH PLAIN'))).toBeGreaterThan(heard.indexOf('STARTTLS'))
    await expect(client.connect(target, options({ auth }), never())).rejects.toMatchObject({ authFailed: true })
  })
})

describe('a connection', () => {
  it('goes out from the address that was asked for', async () => {
    const server = await scriptedSmtp()
    stops.push(server.close)
    const client = createSmtpClient({ clock: systemClock })
    const target = { address: '127.0.0.1', port: server.port, host: '127.0.0.1' }
    const sending = await client.connect(target, options({ localAddress: '127.0.0.9' }), never())
    expect(sending.interfaceAddress).toBe('127.0.0.9')
    sending.quit()
  })

  it('carries a long message with dots, under back pressure, byte by byte', async () => {
    const server = await scriptedSmtp((line) => (line.startsWith('EHLO') ? '250 mx' : undefined))
    stops.push(server.close)
    const client = createSmtpClient({ clock: systemClock })
    const target = { address: '127.0.0.1', port: server.port, host: '127.0.0.1' }
    const sending = await client.connect(target, options(), never())
    const bytes = Buffer.from('.line of text\r\n'.repeat(60_000))
    const results = await sending.send({ sender: '', recipients: [{ address: 'c@d.example' }], bytes }, never())
    expect(results?.[0]?.ok).toBe(true)
    expect(server.mails[0]?.data).toBe('..line of text\r\n'.repeat(60_000))
    sending.quit()
  })

  it('ends with its signal, and the message is tried again', async () => {
    const server = await scriptedSmtp((line) => (line === '.' ? '' : undefined))
    stops.push(server.close)
    const client = createSmtpClient({ clock: systemClock })
    const target = { address: '127.0.0.1', port: server.port, host: '127.0.0.1' }
    const sending = await client.connect(target, options(), never())
    const stop = new AbortController()
    const results = sending.send(
      { sender: '', recipients: [{ address: 'c@d.example' }], bytes: Buffer.from('x\r\n') },
      stop.signal,
    )
    stop.abort()
    expect((await results)?.[0]).toMatchObject({ ok: false, permanent: false, status: '4.3.2' })
    expect(sending.alive).toBe(false)
  })
})
