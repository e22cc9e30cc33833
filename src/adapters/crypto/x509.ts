import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import type { Entropy } from '../../core/entropy.ts'

/**
 * X.509 v3 certificates (RFC 5280) with P-256 keys, signed with ECDSA and SHA-256: just what a CA of our own and the
 * servers' certificates need. node:crypto reads certificates but does not make them.
 */
export interface CertificateRequest {
  readonly commonName: string
  /** Host names and addresses; none for a CA. */
  readonly names: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
  /** Who signs; absent = the certificate is a CA and signs itself. */
  readonly issuer?: KeyPem
}

export interface KeyPem {
  readonly certPem: string
  readonly keyPem: string
}

const der = (tag: number, ...content: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(content)
  const n = body.length
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const seq = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content)
const octets = (content: Uint8Array): Buffer => der(0x04, content)
const TRUE = der(0x01, Buffer.from([0xff]))

const oid = (dotted: string): Buffer => {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((n) => {
    const groups = [n & 0x7f]
    for (let high = n >>> 7; high > 0; high >>>= 7) groups.unshift((high & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from([a * 40 + b, ...bytes]))
}

const ECDSA_SHA256 = seq(oid('1.2.840.10045.4.3.2'))
const commonName = (text: string): Buffer => seq(der(0x31, seq(oid('2.5.4.3'), der(0x0c, Buffer.from(text, 'utf8')))))

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
const time = (at: Date): Buffer => {
  const text = `${at.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  seq(oid(id), ...(critical ? [TRUE] : []), octets(value))

const addressBytes = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(all.map((g) => g.padStart(4, '0')).join(''), 'hex')
}

const alternativeNames = (names: readonly string[]): Buffer =>
  seq(...names.map((n) => (isIP(n) ? der(0x87, addressBytes(n)) : der(0x82, Buffer.from(n, 'ascii')))))

/** SHA-1 of the public key's bits (RFC 5280 §4.2.1.2), which stand at the end of its SubjectPublicKeyInfo. */
const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }).subarray(-65))
    .digest()

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

export const makeCertificate = (request: CertificateRequest, entropy: Entropy): KeyPem => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isCa = request.issuer === undefined
  const issuerKey = request.issuer ? createPrivateKey(request.issuer.keyPem) : privateKey
  const issuerName = request.issuer
    ? (/^CN=(.*)$/m.exec(new X509Certificate(request.issuer.certPem).subject)?.[1] ?? '')
    : request.commonName
  const serial = Buffer.from(entropy.bytes(16))
  // Positive and not zero.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const extensions = [
    extension('2.5.29.19', true, isCa ? seq(TRUE) : seq()),
    // keyCertSign and cRLSign; digitalSignature.
    extension('2.5.29.15', true, isCa ? der(0x03, Buffer.from([1, 0x06])) : der(0x03, Buffer.from([7, 0x80]))),
    ...(isCa ? [] : [extension('2.5.29.37', false, seq(oid('1.3.6.1.5.5.7.3.1')))]),
    ...(request.names.length > 0 ? [extension('2.5.29.17', false, alternativeNames(request.names))] : []),
    extension('2.5.29.14', false, octets(keyId(publicKey))),
    extension('2.5.29.35', false, seq(der(0x80, keyId(createPublicKey(issuerKey))))),
  ]
  const body = seq(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_SHA256,
    commonName(issuerName),
    seq(time(request.notBefore), time(request.notAfter)),
    commonName(request.commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, seq(...extensions)),
  )
  const signature = sign('sha256', body, { key: issuerKey, dsaEncoding: 'der' })
  return {
    certPem: pem('CERTIFICATE', seq(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature))),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}
