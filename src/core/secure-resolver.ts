/** DNS that shows whether an answer was validated (DNSSEC). Data are written as in a zone file: `10 mx.example.`. */
export interface SecureAnswer {
  /** A validating name server vouches for the answer, also for one that says that there is nothing (RFC 4035 §3.2.3). */
  readonly secure: boolean
  readonly found: 'records' | 'no data' | 'no name'
  readonly records: readonly string[]
  /** The name that bears the records, behind all aliases; lower case, without the last dot. */
  readonly canonical: string
}

export interface SecureResolver {
  /** Rejects with `code` ESERVFAIL (also for a bogus answer), EREFUSED, ETIMEOUT…, as node:dns does. */
  resolve(name: string, rrtype: 'A' | 'AAAA' | 'MX' | 'TLSA', signal: AbortSignal): Promise<SecureAnswer>
}
