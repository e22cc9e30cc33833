import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Env } from '../../core/env.ts'
import { makeCertificate } from './x509.ts'
import type { KeyPem } from './x509.ts'

/** A certificate authority of our own and the one server certificate that it signed, kept in a directory (keys 0600). */
export interface OwnCa {
  /** What clients pin. */
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const DAY_MS = 86_400_000
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
  const notBefore = new Date(now.getTime() - DAY_MS)
  const until = (days: number): Date => new Date(now.getTime() + days * DAY_MS)
  const load = async (name: string, make: () => KeyPem, good: (certPem: string) => boolean) => {
    const [certPem, keyPem] = [await readPem(file(`${name}.pem`)), await readPem(file(`${name}.key`))]
    if (certPem !== null && keyPem !== null && lasts(certPem, now, RENEW_DAYS) && good(certPem))
      return { certPem, keyPem }
    const made = make()
    await writePem(file(`${name}.key`), made.keyPem)
    await writePem(file(`${name}.pem`), made.certPem)
    return made
  }
  const ca = await load(
    'ca',
    () =>
      makeCertificate(
        { commonName: 'Lychgate intelligence CA', names: [], notBefore, notAfter: until(CA_DAYS) },
        env.entropy,
      ),
    () => true,
  )
  const wanted = hosts.map((h) => h.toLowerCase())
  const server = await load(
    'server',
    () =>
      makeCertificate(
        {
          commonName: wanted[0] ?? 'localhost',
          names: wanted,
          notBefore,
          notAfter: until(SERVER_DAYS),
          issuer: ca,
        },
        env.entropy,
      ),
    (certPem) => {
      const certificate = new X509Certificate(certPem)
      return (
        certificate.verify(new X509Certificate(ca.certPem).publicKey) && wanted.every((h) => covers(certificate, h))
      )
    },
  )
  return { caPem: ca.certPem, ...server }
}
