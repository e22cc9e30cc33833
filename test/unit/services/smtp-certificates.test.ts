import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { certificateMaker } from '../../../src/adapters/crypto/certificate.ts'
import { makeCertificate } from '../../../src/adapters/crypto/x509.ts'
import { plainPolicy } from '../../../src/config/sections/host-access.ts'
import { certificates } from '../../../src/config/sections/certificates.ts'
import { matchingChain, readCertificates, readPrivateKey } from '../../../src/core/certificates.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { systemEntropy } from '../../../src/core/entropy.ts'
import { createSmtpCertificates } from '../../../src/services/smtp-certificates.ts'
import { TestConfig } from '../../support/config-reader.ts'
import { mailPath } from '../../support/mail-path.ts'
import type { MailPathOptions } from '../../support/mail-path.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const maker = certificateMaker({ clock: systemClock, entropy: systemEntropy })
const profile = (name: string, ...names: readonly string[]) => {
  const { key, cert } = maker.selfSigned(names, 30)
  return { name, certificate: cert, privateKey: key, request: '' }
}
const said = async (socket: Socket, end: RegExp): Promise<void> =>
  await new Promise((resolve) => {
    let text = ''
    const take = (d: Buffer): void => {
      text += d.toString('latin1')
      if (end.test(text)) resolve(void socket.removeListener('data', take))
    }
    socket.on('data', take)
  })
const secured = async (port: number, options: ConnectionOptions): Promise<TLSSocket> => {
  const socket = connect({ port, host: '127.0.0.1' })
  stops.push(() => socket.destroy())
  await said(socket, /220/)
  socket.write('EHLO x\r\nSTARTTLS\r\n')
  await said(socket, /220 2\.0\.0/)
  const secure = connectTls({ socket, rejectUnauthorized: false, ...options })
  await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
  return secure
}
const nameOf = async (port: number, servername?: string): Promise<unknown> =>
  (await secured(port, servername === undefined ? {} : { servername })).getPeerCertificate().subject.CN

const started = async (options: MailPathOptions, section: (typeof certificates)['defaults']) => {
  const path = await mailPath(options)
  stops.push(path.stop)
  path.config.set(certificates, section)
  await path.smtp.start(path.config, new AbortController().signal)
  return path
}

describe('the certificate of a listener', () => {
  it('is that of the host which the client asks for, else the first', async () => {
    const profiles = [profile('one', 'mx.example.com'), profile('two', 'mx.example.net', '*.wild.example')]
    const path = await started({ listener: { certificates: ['one', 'two'] } }, { profiles, authorities: [] })
    const port = path.port()
    expect(await nameOf(port)).toBe('mx.example.com')
    expect(await nameOf(port, 'MX.example.net')).toBe('mx.example.net')
    expect(await nameOf(port, 'a.wild.example')).toBe('mx.example.net')
    expect(await nameOf(port, 'unknown.example')).toBe('mx.example.com')
    // The next configuration counts for the next client.
    path.config.set(certificates, { profiles: [profile('one', 'new.example.com')], authorities: [] })
    expect(await nameOf(port)).toBe('new.example.com')
  })

  it('is not spoken over anything older than TLS 1.2', async () => {
    const path = await started({}, certificates.defaults)
    await expect(secured(path.port(), { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow()
    await path.until('connection.tls-failed')
  })

  it('asks for that of the client where the policy says so, and believes a name that an authority vouches for', async () => {
    const now = Date.now()
    const span = { from: new Date(now - 3_600_000), until: new Date(now + 86_400_000) }
    const serial = systemEntropy.bytes(16)
    const ca = makeCertificate({ ...span, names: ['ca.example'], serial, authority: true })
    const signed = makeCertificate({ ...span, names: ['partner.example'], serial: systemEntropy.bytes(16), issuer: ca })
    const policies = [{ ...plainPolicy('P', 'ACCEPT'), verifyClient: true }]
    const path = await started(
      { listener: { hostAccess: { policies, groups: [], otherwise: '$P' } } },
      { profiles: [], authorities: [{ name: 'ours', certificate: ca.cert }] },
    )
    const known = await secured(path.port(), { key: signed.key, cert: signed.cert, maxVersion: 'TLSv1.2' })
    const stranger = profile('x', 'partner.example')
    await secured(path.port(), { key: stranger.privateKey, cert: stranger.certificate, maxVersion: 'TLSv1.2' })
    await secured(path.port(), {})
    await path.until('connection.tls', 3)
    expect(known.getProtocol()).toBe('TLSv1.2')
    expect(path.of('connection.tls').map((e) => e.clientName)).toEqual(['partner.example', undefined, undefined])
  })

  it('must be one that TLS can use, or the commit is refused', async () => {
    const consumer = createSmtpCertificates(new TestConfig(), () => Promise.reject(new Error('none'))).consumer
    const broken = { ...profile('one', 'a.example'), privateKey: maker.selfSigned(['b.example'], 1).key }
    const before = certificates.defaults
    expect(await consumer.prepare?.({ ...before, profiles: [broken] }, before, new TestConfig())).toMatchObject([
      { path: 'certificates.profiles.one', severity: 'error' },
    ])
  })
})

describe('pasted certificates', () => {
  const one = maker.selfSigned(['a.example'], 30)
  const other = maker.selfSigned(['b.example'], 30)

  it('come with their own first, and must belong to the key', () => {
    const chain = matchingChain(readCertificates(other.cert + one.cert), readPrivateKey(one.key))
    expect(new X509Certificate(chain).subject).toBe('CN=a.example')
    expect(() => matchingChain(readCertificates(other.cert), one.key)).toThrow('does not belong')
  })

  it('are refused in one line that holds nothing of the text', () => {
    expect(() => readCertificates('x')).toThrow('holds no certificate')
    expect(() => readCertificates('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow(
      'cannot be read',
    )
    const damaged = one.key.replace(/\n[^\n]{20}/, '\n')
    let message = ''
    try {
      readPrivateKey(damaged)
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('cannot be read')
    expect(message).not.toContain(damaged.slice(30, 60))
  })
})
