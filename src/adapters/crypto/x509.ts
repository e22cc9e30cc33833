import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'

/**
 * Certificates on a P-256 key, in DER by hand (RFC 5280): the few forms that an appliance needs for itself are shorter
 * than the packages that make them all.
 */
export interface KeyPair {
  /** PEM. */
  readonly key: string
  readonly cert: string
}

export interface CertificateRequest {
  /** Host names and addresses; the first is the subject's common name. */
  readonly names: readonly string[]
  readonly from: Date
  readonly until: Date
  /** 16 random bytes. */
  readonly serial: Uint8Array
  readonly authority?: boolean
  /** Who signs; itself when absent. */
  readonly issuer?: KeyPair
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const n = body.length
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const SEQUENCE = 0x30
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(SEQUENCE, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))
const nameOf = (common: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))))

/** RFC 5280 §4.1.2.5: two digits of the year before 2050. */
const time = (at: Date): Buffer => {
  const digits = `${at.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value))

const addressBytes = (ip: string): Buffer => {
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number))
  const [head = '', tail] = ip.split('::')
  const words = (part: string | undefined): number[] => (part ? part.split(':').map((w) => parseInt(w, 16)) : [])
  const [left, right] = [words(head), words(tail)]
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
  return Buffer.from(all.flatMap((w) => [w >> 8, w & 0xff]))
}

const extensions = ({ names, authority = false }: CertificateRequest): Buffer => {
  const alternative = names.map((n) => (isIP(n) === 0 ? der(0x82, Buffer.from(n)) : der(0x87, addressBytes(n))))
  const list = [
    extension('551d13', true, sequence(...(authority ? [der(0x01, Buffer.of(0xff))] : []))),
    // keyCertSign and cRLSign, or digitalSignature.
    extension('551d0f', true, der(0x03, authority ? Buffer.of(1, 0x06) : Buffer.of(7, 0x80))),
    extension('551d11', false, sequence(...alternative)),
  ]
  if (!authority) list.push(extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))))
  return der(0xa3, sequence(...list))
}

const subjectOf = (cert: string): string => /^CN=(.*)$/m.exec(new X509Certificate(cert).subject)?.[1] ?? ''

export const makeCertificate = (request: CertificateRequest): KeyPair => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = request.names[0] ?? 'localhost'
  const serial = Buffer.from(request.serial)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40 // positive, and never shortened
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    ECDSA_SHA256,
    nameOf(request.issuer ? subjectOf(request.issuer.cert) : subject),
    sequence(time(request.from), time(request.until)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions(request),
  )
  const signer: KeyObject = request.issuer ? createPrivateKey(request.issuer.key) : privateKey
  const cert = sequence(tbs, ECDSA_SHA256, der(0x03, Buffer.of(0), sign('sha256', tbs, signer)))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(cert) }
}

const pem = (bytes: Buffer, what = 'CERTIFICATE'): string =>
  `-----BEGIN ${what}-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${what}-----\n`

/** A signing request (PKCS #10, RFC 2986) for a P-256 key, with the names in the extension that authorities read. */
export const makeRequest = (key: string, names: readonly string[]): string => {
  const privateKey = createPrivateKey(key)
  const alternative = names.map((n) => (isIP(n) === 0 ? der(0x82, Buffer.from(n)) : der(0x87, addressBytes(n))))
  const wanted = sequence(extension('551d11', false, sequence(...alternative)))
  const info = sequence(
    der(0x02, Buffer.of(0)),
    nameOf(names[0] ?? 'localhost'),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa0, sequence(oid('2a864886f70d01090e'), der(0x31, wanted))),
  )
  return pem(
    sequence(info, ECDSA_SHA256, der(0x03, Buffer.of(0), sign('sha256', info, privateKey))),
    'CERTIFICATE REQUEST',
  )
}
