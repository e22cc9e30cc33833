import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { generate } from 'selfsigned'
import type { Clock } from '../../core/clock.ts'

const YEARS_10 = 3_652 * 86_400_000

/** Key and certificate, PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

/** A self-signed server certificate for `names` (host names and addresses). */
const makeCertificate = async (names: readonly string[], clock: Clock): Promise<KeyPair> => {
  // An hour back: clients whose clock is a little behind ours.
  const from = clock.now().getTime() - 3_600_000
  const pems = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(from),
    notAfterDate: new Date(from + YEARS_10),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((n) => (isIP(n) === 0 ? { type: 2, value: n } : { type: 7, ip: n })),
      },
    ],
  })
  return { key: pems.private, cert: pems.cert }
}

/** The key pair in `path` (mode 0600, both in one PEM file); made on first use and kept. */
export const certificateFile = async (path: string, names: readonly string[], clock: Clock): Promise<KeyPair> => {
  const known = await readFile(path, 'utf8').catch(() => null)
  const [, key, cert] =
    /^(-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----)\s+(-----BEGIN CERTIFICATE-----[^]+)$/.exec(
      known ?? '',
    ) ?? []
  if (key !== undefined && cert !== undefined) return { key: `${key}\n`, cert }
  const made = await makeCertificate(names, clock)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // One rename: a crash leaves no key without its certificate.
  await writeFile(`${path}.new`, `${made.key.trim()}\n${made.cert.trim()}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return made
}

/** Where the certificate of STARTTLS lies. */
export const startTlsFile = (home: string): string => join(home, 'keys', 'smtp.pem')
