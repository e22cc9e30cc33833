import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import type { PeerCertificate, SecureContext, TLSSocket } from 'node:tls'
import { errorText } from '../../core/errors.ts'
import { printableCut } from '../../core/text.ts'
import type { SmtpTarget, TlsDemand, TlsFacts } from '../../mail/delivery/transport.ts'

const NAME = 100

/** One context for all connections: reading the authorities is dear. */
export const secureContext = (authorities: readonly string[] | undefined): SecureContext =>
  createSecureContext({ minVersion: 'TLSv1.2', ...(authorities ? { ca: [...authorities] } : {}) })

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

/** What came about, and whether it is what was demanded. */
export const tlsFacts = (socket: TLSSocket, demand: TlsDemand): TlsFacts => {
  const facts = { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name }
  if (demand.proof === 'none') return { ...facts, verified: false, problem: null }
  const problem = socket.authorized
    ? nameProblem(socket.getPeerCertificate(), demand)
    : `the certificate cannot be verified: ${errorText(socket.authorizationError)}`
  return { ...facts, verified: problem === null, problem }
}
