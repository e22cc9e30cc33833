import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Env } from '../../core/env.ts'
import { makeCertificate } from './x509.ts'
import type { KeyPair } from './x509.ts'

/** A certificate authority of our own and the one server certificate that it signed, kept in a directory (keys 0600). */
export interface OwnCa {
  /** What clients pin. */
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const DAY_MS = 86_400_000
const CA_NAME = 'intelligence-ca.lychgate.invalid'
const CA_DAYS = 3650
/** Some TLS clients refuse server certificates that last longer than 398 days. */
const SERVER_DAYS = 390
/** Made anew when less than this is left. */
const RENEW_DAYS = 60

const readPem = async (path: string): Promise<string | null> =>
  await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
  })

/** Whole or not at all: a crash never leaves half a key. */
const writePem = async (path: string, pem: string): Promise<void> => {
  await writeFile(`${path}.new`, pem, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}

const lasts = (pem: string, now: Date, days: number): boolean =>
  new Date(new X509Certificate(pem).validTo).getTime() - now.getTime() > days * DAY_MS

const covers = (certificate: X509Certificate, host: string): boolean =>
  (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined

/**
 * The CA and a server certificate for `hosts` (names or addresses), made when absent, near their end, or for other hosts.
 * A client that pinned the CA need not learn anything when only the server certificate is made anew.
 */
export const loadOwnCa = async (directory: string, hosts: readonly string[], env: Env): Promise<OwnCa> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(directory, name)
  const now = env.clock.now()
  const from = new Date(now.getTime() - DAY_MS)
  const until = (days: number): Date => new Date(now.getTime() + days * DAY_MS)
  const load = async (name: string, make: () => KeyPair, good: (cert: string) => boolean): Promise<KeyPair> => {
    const [cert, key] = [await readPem(file(`${name}.pem`)), await readPem(file(`${name}.key`))]
    if (cert !== null && key !== null && lasts(cert, now, RENEW_DAYS) && good(cert)) return { cert, key }
    const made = make()
    await writePem(file(`${name}.key`), made.key)
    await writePem(file(`${name}.pem`), made.cert)
    return made
  }
  const serial = (): Uint8Array => env.entropy.bytes(16)
  const ca = await load(
    'ca',
    () => makeCertificate({ names: [CA_NAME], from, until: until(CA_DAYS), serial: serial(), authority: true }),
    () => true,
  )
  const names = hosts.map((h) => h.toLowerCase())
  const server = await load(
    'server',
    () => makeCertificate({ names, from, until: until(SERVER_DAYS), serial: serial(), issuer: ca }),
    (cert) => {
      const certificate = new X509Certificate(cert)
      return certificate.verify(new X509Certificate(ca.cert).publicKey) && names.every((h) => covers(certificate, h))
    },
  )
  return { caPem: ca.cert, certPem: server.cert, keyPem: server.key }
}
