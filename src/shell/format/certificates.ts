import type { CertificateProfile } from '../../config/sections/certificates.ts'
import { certificateFacts } from '../../core/certificates.ts'
import { printableCut } from '../../core/text.ts'

const DAY_MS = 86_400_000
const WIDTHS = [20, 20, 20, 7, 9] as const

const row = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => printableCut(cell, WIDTHS[i] ?? 20).padEnd(WIDTHS[i] ?? 20))
    .join(' ')
    .trimEnd()

const state = (from: Date, until: Date, now: Date): readonly [string, string] => {
  if (now < from) return ['Not Yet', `${Math.ceil((until.getTime() - now.getTime()) / DAY_MS)} days`]
  const left = Math.floor((until.getTime() - now.getTime()) / DAY_MS)
  return until <= now ? ['Expired', '-'] : ['Active', `${left} day${left === 1 ? '' : 's'}`]
}

const line = (name: string, certificate: string, now: Date): string => {
  const { commonName, issuer, from, until } = certificateFacts(certificate)
  return row([name, commonName, issuer, ...state(from, until, now)])
}

/** `List of Certificates` with what is left of each. */
export const certificateTable = (
  all: readonly Pick<CertificateProfile, 'name' | 'certificate'>[],
  now: Date,
  heading = 'List of Certificates',
): readonly string[] => [
  heading,
  row(['Name', 'Common Name', 'Issued By', 'Status', 'Remaining']),
  row(WIDTHS.map((n) => '-'.repeat(n))),
  ...all.map((c) => line(c.name, c.certificate, now)),
]
