import { X509Certificate, hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { makeCertificate } from '../../src/adapters/crypto/x509.ts'
import { createSecureResolver } from '../../src/adapters/net/secure-resolver.ts'
import { createSmtpClient } from '../../src/adapters/smtp/client.ts'
import { destinations } from '../../src/config/sections/destinations.ts'
import { dns } from '../../src/config/sections/dns.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import type { SmtpClient } from '../../src/mail/delivery/transport.ts'
import { dnsServer, dnsType } from '../support/dns-server.ts'
import { mailPath } from '../support/mail-path.ts'
import { noPostfix, startPostfix } from '../support/postfix.ts'
import { until } from '../support/processes.ts'
import { newEntry, temporaryHome } from '../support/spool.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const day = 86_400_000
const life = { from: new Date(Date.now() - day), until: new Date(Date.now() + day), serial: Buffer.alloc(16, 7) }
const ca = makeCertificate({ names: ['ca.example'], authority: true, ...life })
const own = makeCertificate({ names: ['mx.far.example'], issuer: ca, ...life })
const digest = (pem: string, what: 'key' | 'all'): string => {
  const certificate = new X509Certificate(pem)
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return hash('sha256', what === 'key' ? key : certificate.raw, 'hex')
}

/** One message to a Postfix that offers STARTTLS with a certificate of an authority that nobody knows but the TLSA record. */
const send = async (tlsa: string) => {
  const files = temporaryHome()
  stops.push(() => files.remove())
  writeFileSync(join(files.home, 'key.pem'), own.key, { mode: 0o600 })
  writeFileSync(join(files.home, 'cert.pem'), own.cert + ca.cert)
  const postfix = await startPostfix({ kind: 'mailboxes', domain: 'far.example' }, [
    'smtpd_tls_security_level = may',
    `smtpd_tls_key_file = ${files.home}/key.pem`,
    `smtpd_tls_cert_file = ${files.home}/cert.pem`,
  ])
  stops.push(() => postfix.stop())
  const zone: Record<string, { readonly type: 'MX' | 'A' | 'TLSA'; readonly data: string }> = {
    'MX far.example': { type: 'MX', data: '1 mx.far.example' },
    'A mx.far.example': { type: 'A', data: '198.51.100.1' },
    'TLSA _25._tcp.mx.far.example': { type: 'TLSA', data: tlsa },
  }
  const names = await dnsServer(({ name, type }) => {
    const record = zone[`${dnsType(type)} ${name}`]
    return { ad: true, records: record ? [{ name, ...record }] : [] }
  })
  stops.push(names.close)
  const client = createSmtpClient({ clock: systemClock })
  const smtp: SmtpClient = {
    connect: async (target, options, signal) =>
      await client.connect({ ...target, address: '127.0.0.1', port: postfix.port }, options, signal),
  }
  const env = { clock: systemClock, entropy: systemEntropy }
  const path = await mailPath({
    smtp,
    secureResolver: createSecureResolver(env, { servers: () => ['127.0.0.1'], port: names.port }),
  })
  stops.push(path.stop)
  path.config.set(dns, { ...dns.defaults, validating: true })
  const settings = { ...destinations.defaults.default, dane: 'mandatory' as const }
  path.config.set(destinations, { default: settings, domains: [] })
  await path.spool.accept(
    newEntry(1, {
      state: { kind: 'queued' },
      recipients: [{ rid: 0, address: 'x@far.example' }],
      body: Buffer.from('Subject: over DANE\r\n\r\nBody\r\n'),
      receivedAt: new Date(),
    }),
  )
  await path.queue.start(path.config, new AbortController().signal)
  await Promise.race([path.until('message.finished'), path.until('delivery.delayed')])
  await path.queue.idle()
  return { path, box: join(postfix.folder, 'mail/all/new') }
}

describe.skipIf(noPostfix() !== null)('a Postfix with TLSA records', () => {
  it.each([
    ['of its key', `3 1 1 ${digest(own.cert, 'key')}`],
    ['of its authority', `2 0 1 ${digest(ca.cert, 'all')}`],
  ])('%s gets the mail over TLS', async (_of, tlsa) => {
    const { path, box } = await send(tlsa)
    expect(path.of('delivery.tls')).toMatchObject([{ verifiedFor: 'far.example' }])
    await until('Postfix has delivered', () => Promise.resolve(existsSync(box) && readdirSync(box).length === 1))
    expect(readFileSync(join(box, readdirSync(box)[0] ?? ''), 'utf8')).toContain('Subject: over DANE')
  })

  it('of another key gets nothing', async () => {
    const { path } = await send(`3 1 1 ${'0'.repeat(64)}`)
    expect(path.of('delivery.delayed')[0]?.status).toBe('4.7.4')
    expect(path.spool.gauges().queuedRecipients).toBe(1)
  })
})
