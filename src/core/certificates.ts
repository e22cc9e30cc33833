import { createPrivateKey, X509Certificate } from 'node:crypto'
import { UserError } from './errors.ts'

/** What `certconfig` shows of a certificate. */
export interface CertificateFacts {
  readonly commonName: string
  readonly issuer: string
  readonly from: Date
  readonly until: Date
  /** Host names it is good for. */
  readonly names: readonly string[]
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[^]*?-----END (?:[A-Z]+ )*PRIVATE KEY-----/

const nameOf = (distinguished: string): string =>
  /^CN=(.*)$/m.exec(distinguished)?.[1] ?? /^O=(.*)$/m.exec(distinguished)?.[1] ?? ''

export const certificateFacts = (pem: string): CertificateFacts => {
  const x509 = new X509Certificate(pem)
  const alternative = [...(x509.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map((m) => m[1] ?? '')
  const commonName = nameOf(x509.subject)
  return {
    commonName,
    issuer: nameOf(x509.issuer),
    from: new Date(x509.validFrom),
    until: new Date(x509.validTo),
    names: alternative.length > 0 ? alternative : commonName === '' ? [] : [commonName],
  }
}

const parsed = (block: string): X509Certificate => {
  try {
    return new X509Certificate(block)
  } catch {
    throw new UserError('A certificate of the text cannot be read.')
  }
}

/** The certificates of a PEM text, in one text. @throws UserError when there is none or one is broken. */
export const readCertificates = (text: string): string => {
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0) throw new UserError('The text holds no certificate in PEM (-----BEGIN CERTIFICATE-----).')
  return blocks.map((b) => parsed(b).toString()).join('')
}

/** The private key of a PEM text (PKCS #8). @throws UserError; the text is never in the message. */
export const readPrivateKey = (text: string, passphrase?: string): string => {
  const [block] = KEY.exec(text) ?? []
  if (block === undefined) throw new UserError('The text holds no private key in PEM (-----BEGIN PRIVATE KEY-----).')
  try {
    const key = createPrivateKey({ key: block, ...(passphrase === undefined ? {} : { passphrase }) })
    return key.export({ type: 'pkcs8', format: 'pem' }).toString()
  } catch {
    throw new UserError('The private key cannot be read: it is damaged, or its pass phrase is missing or wrong.')
  }
}

/** The chain with its own certificate first. @throws UserError when none of them belongs to the key. */
export const matchingChain = (certificates: string, privateKey: string): string => {
  const key = createPrivateKey(privateKey)
  const blocks = certificates.match(BLOCK) ?? []
  const own = blocks.find((b) => new X509Certificate(b).checkPrivateKey(key))
  if (own === undefined) throw new UserError('The private key does not belong to the certificate.')
  return [own, ...blocks.filter((b) => b !== own)].map((b) => `${b}\n`).join('')
}
