import type { X509Certificate } from 'node:crypto'
import { hash } from 'node:crypto'

/* TLSA records and what they say of the certificates of a mail host (RFC 6698, 7671, 7672). */

/** One association that counts for SMTP: usages DANE-TA(2) and DANE-EE(3). */
export interface Tlsa {
  readonly usage: 2 | 3
  /** 0 = the certificate, 1 = its public key. */
  readonly selector: 0 | 1
  /** 0 = as it is, 1 = SHA-256, 2 = SHA-512. */
  readonly matching: 0 | 1 | 2
  /** Hexadecimal, lower case. */
  readonly data: string
}

/** More of them are not looked at: a host needs a handful. */
const MAX_RECORDS = 50
const HEX_LENGTH = [null, 64, 128] as const

/** `3 1 1 A0B1…`; null for what is malformed or of no use for SMTP: usages 0 and 1 (RFC 7672 §3.1.3), unknown numbers. */
const parse = (record: string): Tlsa | null => {
  const [, usage, selector, matching, data = ''] = /^([23]) ([01]) ([012]) ((?:[0-9a-f]{2})+)$/i.exec(record) ?? []
  if (usage === undefined) return null
  const kind = Number(matching) as Tlsa['matching']
  const length = HEX_LENGTH[kind]
  if (length !== null && data.length !== length) return null
  return {
    usage: Number(usage) as Tlsa['usage'],
    selector: Number(selector) as Tlsa['selector'],
    matching: kind,
    data: data.toLowerCase(),
  }
}

/** What can be used; of digests of one usage and selector only the strongest kind counts (RFC 7671 §9). */
export const usableTlsa = (records: readonly string[]): readonly Tlsa[] => {
  const all = records.slice(0, MAX_RECORDS).flatMap((r) => parse(r) ?? [])
  return all.filter(
    (t) => t.matching !== 1 || !all.some((o) => o.matching === 2 && o.usage === t.usage && o.selector === t.selector),
  )
}

const associationOf = (certificate: X509Certificate, { selector, matching }: Tlsa): string => {
  const bytes = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' })
  return matching === 0 ? bytes.toString('hex') : hash(matching === 1 ? 'sha256' : 'sha512', bytes, 'hex')
}

const matches = (certificate: X509Certificate, record: Tlsa): boolean =>
  associationOf(certificate, record) === record.data

/** Usage 3: this is the host's certificate, whatever names and dates are in it (RFC 7672 §3.1.1). */
export const isHostCertificate = (certificate: X509Certificate, records: readonly Tlsa[]): boolean =>
  records.some((r) => r.usage === 3 && matches(certificate, r))

/** Usage 2: who may have issued the host's certificate, of those that the host has shown above its own. PEM. */
export const anchorsOf = (issuers: readonly X509Certificate[], records: readonly Tlsa[]): readonly string[] =>
  issuers.filter((c) => records.some((r) => r.usage === 2 && matches(c, r))).map((c) => c.toString())
