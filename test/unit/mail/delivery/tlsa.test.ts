import { X509Certificate, hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeCertificate } from '../../../../src/adapters/crypto/x509.ts'
import { anchorsOf, isHostCertificate, usableTlsa } from '../../../../src/mail/delivery/tlsa.ts'

const life = { from: new Date(0), until: new Date(1000), serial: Buffer.alloc(16, 7) }
const certificate = new X509Certificate(makeCertificate({ names: ['mx.example'], ...life }).cert)
const key = certificate.publicKey.export({ type: 'spki', format: 'der' })
const sha256 = (bytes: Buffer): string => hash('sha256', bytes, 'hex')
const sha512 = (bytes: Buffer): string => hash('sha512', bytes, 'hex')

describe('a TLSA record', () => {
  it.each([
    ['the whole certificate', `0 0 ${certificate.raw.toString('hex')}`],
    ['its SHA-256', `0 1 ${sha256(certificate.raw).toUpperCase()}`],
    ['its SHA-512', `0 2 ${sha512(certificate.raw)}`],
    ['its whole key', `1 0 ${key.toString('hex')}`],
    ["its key's SHA-256", `1 1 ${sha256(key)}`],
    ["its key's SHA-512", `1 2 ${sha512(key)}`],
  ])('of %s fits a certificate', (_what, rest) => {
    expect(isHostCertificate(certificate, usableTlsa([`3 ${rest}`]))).toBe(true)
    expect(isHostCertificate(certificate, usableTlsa([`2 ${rest}`]))).toBe(false)
    expect(anchorsOf([certificate], usableTlsa([`2 ${rest}`]))).toEqual([certificate.toString()])
    expect(anchorsOf([certificate], usableTlsa([`3 ${rest}`]))).toEqual([])
  })

  it('of something else fits none', () => {
    expect(isHostCertificate(certificate, usableTlsa([`3 1 1 ${sha256(certificate.raw)}`]))).toBe(false)
    expect(isHostCertificate(certificate, usableTlsa([`3 0 0 00${certificate.raw.toString('hex')}`]))).toBe(false)
  })

  it.each(['0 0 1', '1 1 1', '3 2 1', '3 1 3', '255 1 1'])('that begins with %s cannot be used', (numbers) =>
    expect(usableTlsa([`${numbers} ${sha256(key)}`])).toEqual([]),
  )

  it('of the wrong length cannot be used', () => {
    expect(usableTlsa([`3 1 1 ${sha512(key)}`, '3 1 2 00', '3 1 0 ', '3 1 0 0', 'nothing'])).toEqual([])
  })

  it('of a weaker digest does not count beside a stronger one', () => {
    const both = usableTlsa([`3 1 1 ${sha256(key)}`, `3 1 2 ${'0'.repeat(128)}`, `3 0 1 ${sha256(certificate.raw)}`])
    expect(both.map((t) => `${t.selector} ${t.matching}`)).toEqual(['1 2', '0 1'])
  })

  it('counts among the first fifty', () => {
    expect(usableTlsa(Array.from({ length: 90 }, () => `3 1 1 ${sha256(key)}`))).toHaveLength(50)
  })
})
