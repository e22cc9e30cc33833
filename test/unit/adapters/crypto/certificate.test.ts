import { X509Certificate } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { certificateFile, startTlsFile } from '../../../../src/adapters/crypto/certificate.ts'
import { makeCertificate } from '../../../../src/adapters/crypto/x509.ts'
import { testEnv } from '../../../support/env.ts'
import { temporaryHome } from '../../../support/spool.ts'

it('is made once, for its owner only, and made anew when it is damaged', async () => {
  const temporary = temporaryHome()
  const { home } = temporary
  const env = testEnv()
  const path = startTlsFile(home)
  const made = await certificateFile(path, ['mail.example.com', '127.0.0.1'], env)
  expect(await certificateFile(path, ['other.example'], env)).toEqual({ key: made.key, cert: made.cert })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, 'keys')).mode & 0o777).toBe(0o700)
  const cert = new X509Certificate(made.cert)
  expect(cert.checkHost('mail.example.com')).toBe('mail.example.com')
  expect(cert.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(cert.verify(cert.publicKey)).toBe(true)
  expect(new Date(cert.validFrom) < env.clock.now() && env.clock.now() < new Date(cert.validTo)).toBe(true)
  writeFileSync(path, 'half a ke')
  expect((await certificateFile(path, ['mail.example.com'], env)).cert).not.toBe(made.cert)
  temporary.remove()
})

it('can be signed by an authority, for addresses of both families, past 2049', () => {
  const [from, until] = [new Date('2020-01-01T00:00:00Z'), new Date('2055-06-07T08:09:10Z')]
  const serial = Buffer.alloc(16, 0xff)
  const ca = makeCertificate({ names: ['ca.example'], from, until, serial, authority: true })
  const leaf = makeCertificate({ names: ['a.example', '::1', '2001:db8::5'], from, until, serial, issuer: ca })
  const [authority, cert] = [new X509Certificate(ca.cert), new X509Certificate(leaf.cert)]
  expect(authority.ca).toBe(true)
  expect(cert.ca).toBe(false)
  expect(cert.checkIssued(authority) && cert.verify(authority.publicKey)).toBe(true)
  expect(cert.checkIP('::1') ?? cert.checkIP('0:0:0:0:0:0:0:1')).toBeDefined()
  expect(cert.subjectAltName).toContain('2001:DB8:0:0:0:0:0:5')
  expect(new Date(cert.validTo)).toEqual(until)
})
