import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import type { DetailedPeerCertificate, PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import { errorText } from '../../core/errors.ts'
import { printableCut } from '../../core/text.ts'
import { anchorsOf, isHostCertificate } from '../../mail/delivery/tlsa.ts'
import type { Tlsa } from '../../mail/delivery/tlsa.ts'
import type { SmtpTarget, TlsDemand, TlsFacts } from '../../mail/delivery/transport.ts'

const NAME = 100
const MAX_CHAIN = 10

/** One context for all connections: reading the authorities is dear. */
export const secureContext = (authorities: readonly string[] | undefined): SecureContext =>
  createSecureContext({ minVersion: 'TLSv1.2', ...(authorities ? { ca: [...authorities] } : {}) })

/** Certificates of whatever rank are the only authorities (RFC 7671 §5.2: a trust anchor need not sign itself). */
export const anchoredContext = (anchors: readonly string[]): SecureContext =>
  createSecureContext({ minVersion: 'TLSv1.2', ca: [...anchors], allowPartialTrustChain: true })

/** Takes a connection to TLS. Whose certificate it is, is looked at afterwards; encryption without proof beats none (RFC 7435). */
export const startTls = async (socket: Socket, target: SmtpTarget, context: SecureContext): Promise<TLSSocket> => {
  const secure = connect({
    socket,
    secureContext: context,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // A name, never an address (RFC 6066 §3).
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
  })
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve)
    secure.once('error', reject)
    secure.once('close', () => reject(new Error('the host closed the connection')))
  })
  return secure
}

const cut = (text: string): string => printableCut(text, NAME)

/** RFC 6125 §6: the names of the certificate against those that were expected; null = one fits. */
const nameProblem = (certificate: PeerCertificate, { names, altNamesOnly }: TlsDemand): string | null => {
  const has = certificate.subjectaltname ?? ''
  const fits = names.some((name) => checkServerIdentity(name, certificate) === undefined)
  if (fits && (!altNamesOnly || /\bDNS:/.test(has))) return null
  // A certificate may bear many names in one kind.
  const commonName = [certificate.subject?.CN ?? 'none'].flat().join(', ')
  return `the certificate (CN: ${cut(commonName)}) is not for ${names.join(' or ')}`
}

/** The host's certificate, then those above it as far as they hang together. */
const chainOf = (socket: TLSSocket): readonly X509Certificate[] => {
  const chain: X509Certificate[] = []
  // Of a host without a certificate it is an empty object; the last one is its own issuer.
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(next.raw))
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}

/** RFC 7672 §3.1; null = one record fits. `anchored`: authorities of usage 2 are the only ones of this connection. */
const daneProblem = (socket: TLSSocket, demand: TlsDemand, anchored: boolean): string | null => {
  const [own] = chainOf(socket)
  if (own === undefined) return 'the host shows no certificate'
  if (isHostCertificate(own, demand.tlsa)) return null
  if (!anchored) return 'the certificate fits none of the TLSA records'
  return socket.authorized
    ? nameProblem(socket.getPeerCertificate(), demand)
    : `the certificate does not lead to an authority of the TLSA records: ${errorText(socket.authorizationError)}`
}

/** Authorities of TLSA records that the host has shown; none when its own certificate is in one. PEM. */
export const shownAnchors = (socket: TLSSocket, records: readonly Tlsa[]): readonly string[] => {
  const [own, ...issuers] = chainOf(socket)
  return own === undefined || isHostCertificate(own, records) ? [] : anchorsOf(issuers, records)
}

/** What came about, and whether it is what was demanded. */
export const tlsFacts = (socket: TLSSocket, demand: TlsDemand, anchored: boolean): TlsFacts => {
  const facts = { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name }
  if (demand.tlsa.length > 0) {
    const problem = daneProblem(socket, demand, anchored)
    return { ...facts, verified: problem === null, problem }
  }
  if (demand.proof === 'none') return { ...facts, verified: false, problem: null }
  const problem = socket.authorized
    ? nameProblem(socket.getPeerCertificate(), demand)
    : `the certificate cannot be verified: ${errorText(socket.authorizationError)}`
  return { ...facts, verified: problem === null, problem }
}
