import * as v from 'valibot'
import type { Issue } from '../../core/errors.ts'
import { defineSection, secretText } from '../section.ts'
import { uniqueNames } from '../unique.ts'

export const SOURCE_FORMATS = [
  'lines',
  'csv',
  'urlhaus-csv',
  'urlhaus-json',
  'phishtank-csv',
  'phishtank-json',
  'threatfox',
  'misp',
  'urlhaus-api',
  'dns-dbl',
  'dns-surbl',
  'safe-browsing',
  'web-risk',
] as const

/** Lists of hash prefixes that are kept here; whole hashes are asked for. Their `path` is the API's URL. */
const HASH_LIST_FORMATS = ['safe-browsing', 'web-risk'] as const

/** Lists that are asked by DNS for one domain at a time; their `path` is the zone. */
const DNS_FORMATS = ['dns-dbl', 'dns-surbl'] as const

export const SOURCE_LEVELS = ['untrusted', 'questionable', 'neutral', 'favorable', 'trusted'] as const

export const intelSource = v.object({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/)),
  enabled: v.boolean(),
  /** `lines`: one URL or domain a line; `csv`: indicator,level[,category[,age in days]]; the others as their makers publish. */
  format: v.picklist(SOURCE_FORMATS),
  /** Absolute path, a name in `<home>/configuration/`, or an https URL or DNS zone in which `{key}` stands for the key. */
  path: v.pipe(v.string(), v.minLength(1)),
  /** What the provider of a feed issued. */
  key: v.nullable(secretText()),
  /** Level that `lines` give, and `csv` rows without one. */
  level: v.picklist(SOURCE_LEVELS),
  category: v.string(),
  refreshSeconds: v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(604_800)),
})
export type IntelSource = v.InferOutput<typeof intelSource>
export type DnsListSource = IntelSource & { readonly format: (typeof DNS_FORMATS)[number] }
export const isDnsList = (source: IntelSource): source is DnsListSource =>
  (DNS_FORMATS as readonly string[]).includes(source.format)
export type HashListSource = IntelSource & { readonly format: (typeof HASH_LIST_FORMATS)[number] }
export const isHashList = (source: IntelSource): source is HashListSource =>
  (HASH_LIST_FORMATS as readonly string[]).includes(source.format)

/** `dbl.spamhaus.org`, `{key}.dbl.dq.spamhaus.net`. */
const ZONE = /^(?:\{key\}\.)?(?:[A-Za-z0-9_-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{0,62}$/
const LABEL = /^[A-Za-z0-9_-]{1,63}$/

/** `intelconfig`: where opinions come from, and which service retrospection talks to. */
export const intelligence = defineSection({
  name: 'intelligence',
  version: 3,
  schema: v.object({
    /** Sent when the device registers (`org_id`). */
    organization: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    /** null = the embedded service on a loopback port; else `https://host:port` of a `lychgate intel serve`. */
    serviceUrl: v.nullable(v.pipe(v.string(), v.regex(/^https:\/\/[^/?#\s@]+$/))),
    /** PEM file of the CA that signs the service's certificate; null with `serviceUrl` = the system's CAs. */
    caFile: v.nullable(v.string()),
    /** `http://proxy:port` for CONNECT; traffic passes through undecrypted. No passphrase: this text is no secret. */
    proxyUrl: v.nullable(v.pipe(v.string(), v.regex(/^http:\/\/[^/?#\s@]+$/))),
    /** The device's own enrolment secret for a shared service; the embedded one makes its own. */
    deviceSecret: v.nullable(secretText()),
    /** A shared service is asked by prefixes of hashes, and not told which URL is meant. */
    hashLookups: v.boolean(),
    /** A shared service watches hashes of look-up expressions, and is not told the URLs. */
    hashSubmissions: v.boolean(),
    sources: v.array(intelSource),
  }),
  defaults: {
    organization: 'lychgate',
    serviceUrl: null,
    caFile: null,
    proxyUrl: null,
    deviceSecret: null,
    hashLookups: true,
    hashSubmissions: true,
    sources: [] as IntelSource[],
  },
  migrations: {
    1: (old) => {
      const value = old as { readonly sources?: readonly object[] }
      return { ...value, sources: (value.sources ?? []).map((s) => ({ key: null, ...s })) }
    },
    2: (old) => ({ hashLookups: true, hashSubmissions: true, ...(old as object) }),
  },
  verify: (value) => [
    ...value.sources
      .filter((s) => /^http:/i.test(s.path) || (s.path.includes('{key}') && s.key === null))
      .map((s) => ({
        path: `intelligence.sources.${s.name}`,
        message: /^http:/i.test(s.path)
          ? `The source '${s.name}' must be a file or an https URL.`
          : `The source '${s.name}' needs the key that its provider issued. Add it with intelconfig, SOURCES.`,
        severity: 'error' as const,
      })),
    ...value.sources
      .filter((s) => isDnsList(s) && !(ZONE.test(s.path) && (s.key === null || LABEL.test(s.key))))
      .map((s) => ({
        path: `intelligence.sources.${s.name}`,
        message: `The source '${s.name}' must name the zone of a DNS list. (Ex: dbl.spamhaus.org or {key}.dbl.dq.spamhaus.net)`,
        severity: 'error' as const,
      })),
    ...value.sources
      .filter((s) => isHashList(s) && !(/^https:\/\/[^?#]+\/$/.test(s.path) && s.key !== null))
      .map((s) => ({
        path: `intelligence.sources.${s.name}`,
        message: `The source '${s.name}' must be the https URL of the API, ending in /, and needs the key that its provider issued.`,
        severity: 'error' as const,
      })),
    ...uniqueNames('intelligence.sources', value.sources),
    ...(value.serviceUrl !== null && value.deviceSecret === null
      ? [
          {
            path: 'intelligence.deviceSecret',
            message: 'A shared intelligence service needs the device secret that it issued. Set it with intelconfig.',
            severity: 'error',
          } satisfies Issue,
        ]
      : []),
  ],
})
