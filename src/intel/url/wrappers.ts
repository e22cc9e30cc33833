import { base64Decoded, percentDecoded } from './unescape.ts'

/** A URL taken apart, scheme off: what the link wrappers' rules look at. */
export interface UrlParts {
  /** Lower case, no port. */
  readonly host: string
  /** From the first slash to the query. */
  readonly path: string
  readonly query: string
  /** Everything behind the host, fragment included. */
  readonly tail: string
}

interface Wrapper {
  readonly host: RegExp
  readonly path?: RegExp
  /** Names of the parameter that holds the target. */
  readonly parameters?: readonly string[]
  /** For targets that are not simply a parameter. */
  readonly targets?: (parts: UrlParts) => readonly (string | undefined)[]
}

export const parameter = (query: string, name: string): string | undefined => {
  for (const item of query.split(/[&;]/)) {
    const equals = item.indexOf('=')
    if (equals > 0 && item.slice(0, equals).toLowerCase() === name) return item.slice(equals + 1)
  }
  return undefined
}

/** `%` was written as `-`, `/` as `_`. */
const defenseV2 = ({ query }: UrlParts): readonly (string | undefined)[] => [
  parameter(query, 'u')?.replaceAll('-', '%').replaceAll('_', '/'),
]

const RUN_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * `/v3/__URL__;BYTES!…`: each `*` in URL stands for the next character of BYTES, `**` with a letter for a run of them:
 * A is two, B three, and so on.
 */
const defenseV3 = ({ tail }: UrlParts): readonly (string | undefined)[] => {
  const m = /^\/v3\/__([^]+?)__;([A-Za-z0-9+/_=-]*)!/.exec(tail)
  if (!m) return []
  const characters = [...base64Decoded(m[2] ?? '')]
  let next = 0
  const take = (n: number): string => {
    next += n
    return characters.slice(next - n, next).join('')
  }
  const url = percentDecoded(m[1] ?? '').replace(/\*(?:\*(.))?/g, (_, letter?: string) =>
    take(letter === undefined ? 1 : RUN_LETTERS.indexOf(letter) + 2),
  )
  return [url.replace(/^([a-z][a-z0-9+.-]*:)\/(?=[^/])/i, '$1//')]
}

/** `a1` and the URL in base64. */
const bing = ({ query }: UrlParts): readonly (string | undefined)[] => {
  const u = parameter(query, 'u')
  return u?.startsWith('a1') ? [base64Decoded(u.slice(2))] : []
}

/** Only the domain is told; where on it the link leads is known to Mimecast alone. */
const mimecast = ({ query }: UrlParts): readonly (string | undefined)[] => {
  const domain = parameter(query, 'domain')
  return domain === undefined ? [] : [`http://${percentDecoded(domain)}/`]
}

/** `/amp/s/host/path`, `/c/s/host/path`: `s` says https. */
const amp = ({ tail }: UrlParts): readonly (string | undefined)[] => {
  const m = /^\/(?:amp|[civ])\/(s\/)?([^]+)/.exec(tail)
  return m ? [`${m[1] ? 'https' : 'http'}://${m[2] ?? ''}`] : []
}

/** A dot of the translated site's host is a hyphen, a hyphen two. */
const translated = ({ host, tail }: UrlParts): readonly (string | undefined)[] => {
  const name = host.slice(0, -'.translate.goog'.length)
  return [`https://${name.replaceAll('--', '\u0000').replaceAll('-', '.').replaceAll('\u0000', '-')}${tail}`]
}

/** `/v2/___URL___.REST` */
const underscores = ({ tail }: UrlParts): readonly (string | undefined)[] => [/\/___([^]+?)___/.exec(tail)?.[1]]

const lastSegment = ({ path, query }: UrlParts): readonly (string | undefined)[] => [
  path.slice(path.lastIndexOf('/') + 1),
  parameter(query, 'url') ?? parameter(`${path.slice(1)}&${query}`, 'url'),
]

const base64Parameter = ({ query }: UrlParts): readonly (string | undefined)[] => {
  const u = parameter(query, 'u')
  return u === undefined ? [] : [base64Decoded(percentDecoded(u))]
}

const GOOGLE = /^(?:[a-z]+\.)?google\.(?:[a-z]{2,3}|com?\.[a-z]{2})$/

/** Services that put their own link in front of another: the target can be read from the link itself. */
const WRAPPERS: readonly Wrapper[] = [
  { host: /\.safelinks\.protection\.(?:outlook\.com|office365\.us)$|\.safelinks\.o365\.cn$/, parameters: ['url'] },
  { host: /^urldefense(?:\.proofpoint)?\.(?:com|us)$/, path: /^\/v1\//, parameters: ['u'] },
  { host: /^urldefense(?:\.proofpoint)?\.(?:com|us)$/, path: /^\/v2\//, targets: defenseV2 },
  { host: /^urldefense(?:\.proofpoint)?\.(?:com|us)$/, path: /^\/v3\//, targets: defenseV3 },
  { host: /(?:^|\.)mimecast(?:protect)?\.com$/, targets: mimecast },
  { host: /^linkprotect\.cudasvc\.com$/, parameters: ['a'] },
  { host: /^secure-web\.cisco\.com$/, targets: lastSegment },
  { host: GOOGLE, path: /^\/url$/, parameters: ['q', 'url'] },
  { host: GOOGLE, path: /^\/amp\//, targets: amp },
  { host: GOOGLE, path: /^\/translate$/, parameters: ['u'] },
  { host: /\.cdn\.ampproject\.org$/, targets: amp },
  { host: /\.translate\.goog$/, targets: translated },
  { host: /(?:^|\.)linkedin\.com$/, path: /^\/(?:redir\/redirect|safety\/go)/, parameters: ['url'] },
  { host: /(?:^|\.)bing\.com$/, path: /^\/ck\/a$/, targets: bing },
  { host: /^lm?\.facebook\.com$|^l\.instagram\.com$/, parameters: ['u'] },
  { host: /(?:^|\.)youtube\.com$/, path: /^\/redirect$/, parameters: ['q'] },
  { host: /\.protection\.sophos\.com$/, targets: base64Parameter },
  { host: /^url\.avanan\.click$|(?:^|\.)protect\.checkpoint\.com$/, targets: underscores },
  { host: /^protect2?\.fireeye\.com$|^clicktime\.symantec\.com$|^link\.edgepilot\.com$/, parameters: ['u'] },
]

/** What a known wrapper's link leads to, still as it is written there; null = no known wrapper. */
export const wrappedTargets = (parts: UrlParts): readonly string[] | null => {
  for (const { host, path, parameters, targets } of WRAPPERS) {
    if (!host.test(parts.host) || path?.test(parts.path) === false) continue
    const found = targets ? targets(parts) : (parameters ?? []).map((name) => parameter(parts.query, name))
    return found.filter((t) => t !== undefined && t !== '') as readonly string[]
  }
  return null
}
