import type { IntelSource } from '../../config/sections/intelligence.ts'

/**
 * Public feeds that `intelconfig sources add NAME` knows. Nothing of theirs comes with this product, and none is on until
 * an administrator adds it: the licence is between them and the provider.
 */
export interface KnownFeed {
  readonly name: string
  readonly path: string
  readonly format: IntelSource['format']
  readonly level: IntelSource['level']
  readonly category: string
  readonly refreshSeconds: number
  readonly licence: string
  /** A provider that answers only with a key of one's own. */
  readonly needsKey: boolean
}

const HOUR = 3600

export const KNOWN_FEEDS: readonly KnownFeed[] = [
  {
    name: 'openphish',
    path: 'https://raw.githubusercontent.com/openphish/public_feed/refs/heads/main/feed.txt',
    format: 'lines',
    level: 'untrusted',
    category: 'Phishing',
    refreshSeconds: 12 * HOUR,
    licence: 'OpenPhish community feed: non-commercial use, no redistribution',
    needsKey: false,
  },
  {
    name: 'phishing-database',
    path: 'https://raw.githubusercontent.com/mitchellkrogza/Phishing.Database/master/phishing-links-ACTIVE.txt',
    format: 'lines',
    level: 'untrusted',
    category: 'Phishing',
    refreshSeconds: 12 * HOUR,
    licence: 'Phishing.Database: MIT',
    needsKey: false,
  },
  {
    name: 'phishtank',
    path: 'https://data.phishtank.com/data/{key}/online-valid.csv.gz',
    format: 'phishtank-csv',
    level: 'untrusted',
    category: 'Phishing',
    refreshSeconds: HOUR,
    licence: 'PhishTank: terms of phishtank.org, key needed',
    needsKey: true,
  },
  {
    name: 'safe-browsing',
    path: 'https://safebrowsing.googleapis.com/v5/',
    format: 'safe-browsing',
    level: 'untrusted',
    category: '',
    refreshSeconds: 1800,
    licence: 'Google Safe Browsing: non-commercial use only, key needed',
    needsKey: true,
  },
  {
    name: 'spamhaus-dbl',
    path: 'dbl.spamhaus.org',
    format: 'dns-dbl',
    level: 'untrusted',
    category: '',
    refreshSeconds: 300,
    licence: "Spamhaus DBL: free for small non-commercial use through a resolver of one's own, else a key",
    needsKey: false,
  },
  {
    name: 'surbl',
    path: 'multi.surbl.org',
    format: 'dns-surbl',
    level: 'untrusted',
    category: '',
    refreshSeconds: 300,
    licence: "SURBL: free for small use through a resolver of one's own, else a subscription",
    needsKey: false,
  },
  {
    name: 'threatfox',
    path: 'https://threatfox-api.abuse.ch/api/v1/',
    format: 'threatfox',
    level: 'untrusted',
    category: 'Malware',
    refreshSeconds: HOUR,
    licence: 'ThreatFox by abuse.ch: CC0, free key needed',
    needsKey: true,
  },
  {
    name: 'urlhaus',
    path: 'https://urlhaus.abuse.ch/downloads/csv_recent/',
    format: 'urlhaus-csv',
    level: 'untrusted',
    category: 'Malware',
    refreshSeconds: 900,
    licence: 'URLhaus by abuse.ch: CC0',
    needsKey: false,
  },
  {
    name: 'urlhaus-api',
    path: 'https://urlhaus-api.abuse.ch/v1/urls/recent/',
    format: 'urlhaus-api',
    level: 'untrusted',
    category: 'Malware',
    refreshSeconds: 300,
    licence: 'URLhaus by abuse.ch: CC0, free key needed',
    needsKey: true,
  },
  {
    name: 'web-risk',
    path: 'https://webrisk.googleapis.com/v1/',
    format: 'web-risk',
    level: 'untrusted',
    category: '',
    refreshSeconds: 1800,
    licence: 'Google Web Risk: terms of Google Cloud, key of a billed project needed',
    needsKey: true,
  },
]

/** Where a source comes from decides whose terms count. */
export const licenceOf = (path: string): string | null => KNOWN_FEEDS.find((f) => f.path === path)?.licence ?? null
