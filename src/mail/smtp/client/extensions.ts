/** What a server offers in its answer to EHLO. */
export interface Extensions {
  readonly pipelining: boolean
  readonly eightBit: boolean
  readonly utf8: boolean
  readonly dsn: boolean
  readonly startTls: boolean
  /** Null = not said; 0 = no fixed limit (RFC 1870 §4). */
  readonly size: number | null
  /** Mechanisms of AUTH, upper case. */
  readonly auth: readonly string[]
  /** SIZE was offered, so MAIL may carry it. */
  readonly sized: boolean
}

export const NO_EXTENSIONS: Extensions = {
  pipelining: false,
  eightBit: false,
  utf8: false,
  dsn: false,
  startTls: false,
  size: null,
  auth: [],
  sized: false,
}

/** `lines` without their codes; the first is the host's name. */
export const readExtensions = (lines: readonly string[]): Extensions => {
  const offered = new Map<string, readonly string[]>()
  for (const line of lines.slice(1)) {
    // `AUTH=LOGIN` is how servers older than RFC 4954 say it.
    const [keyword = '', ...parameters] = line.trim().toUpperCase().replace('AUTH=', 'AUTH ').split(/\s+/)
    offered.set(keyword, [...(offered.get(keyword) ?? []), ...parameters])
  }
  const [size = ''] = offered.get('SIZE') ?? []
  return {
    pipelining: offered.has('PIPELINING'),
    eightBit: offered.has('8BITMIME'),
    utf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    startTls: offered.has('STARTTLS'),
    size: /^\d{1,15}$/.test(size) ? Number(size) : null,
    auth: offered.get('AUTH') ?? [],
    sized: offered.has('SIZE'),
  }
}
