import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Env } from '../../core/env.ts'
import type { CertificateMaker } from '../../services/certificate-maker.ts'
import { makeCertificate, makeRequest } from './x509.ts'
import type { KeyPair } from './x509.ts'

const YEARS_10 = 3652 * 86_400_000
const HOUR = 3_600_000
const PEM = /^(-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----)\s+(-----BEGIN CERTIFICATE-----[^]+)$/

/** The self-signed key pair in `path` (mode 0600, both in one PEM file); made on first use for `names`, and kept. */
export const certificateFile = async (path: string, names: readonly string[], env: Env): Promise<KeyPair> => {
  const known = await readFile(path, 'utf8').catch(() => '')
  const [, key, cert] = PEM.exec(known) ?? []
  if (key !== undefined && cert !== undefined) return { key: `${key}\n`, cert }
  // An hour back: clients whose clock is a little behind ours.
  const from = new Date(env.clock.now().getTime() - HOUR)
  const until = new Date(from.getTime() + YEARS_10)
  const made = makeCertificate({ names, from, until, serial: env.entropy.bytes(16) })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // One rename: a crash leaves no key without its certificate.
  await writeFile(`${path}.new`, `${made.key}${made.cert}`, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return made
}

/** Where the certificate of STARTTLS lies. */
export const startTlsFile = (home: string): string => join(home, 'keys', 'smtp.pem')

/** For certconfig. */
export const certificateMaker = (env: Env): CertificateMaker => ({
  selfSigned: (names, days) => {
    const from = new Date(env.clock.now().getTime() - HOUR)
    const until = new Date(env.clock.now().getTime() + days * 24 * HOUR)
    return makeCertificate({ names, from, until, serial: env.entropy.bytes(16) })
  },
  request: makeRequest,
})
