import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { printableCut } from '../core/text.ts'
import { canonicalHost, canonicalText, canonicalUrl } from './url/canonical.ts'
import { domainKeys, urlKeys } from './url/expressions.ts'
import { registrable } from './url/suffix.ts'

/** What an opinion is about: a URL (page or folder) or a domain with everything below it. */
export interface Indicator {
  readonly kind: 'url' | 'domain'
  /** Canonical: `host/path?query` or `host`. */
  readonly key: string
  readonly host: string
}

const MAX_INDICATOR = 2048

/**
 * `http://host/path`, `host/path`, `example.com`, `192.0.2.1`. What cannot be read is named by `as`; without it, quoted.
 */
export const parseIndicator = (text: string, as?: string): Result<Indicator> => {
  const raw = text.trim()
  const shown = as ?? `'${printableCut(raw, 80)}'`
  if (raw === '') return fail('A URL or a domain is required.')
  if (raw.length > MAX_INDICATOR) return fail(`A URL must have at most ${MAX_INDICATOR} characters.`)
  if (/\s/.test(raw)) return fail(`${shown} holds a blank. Give one URL or domain.`)
  const scheme = /^[a-z][a-z0-9+.-]*:[\\/]{2}/i.exec(raw)?.[0] ?? ''
  const rest = raw.slice(scheme.length)
  if (rest.startsWith('*')) return fail(`${shown}: a domain covers everything below it; write it without '*'.`)
  if (scheme !== '' || /[/?\\]/.test(rest)) {
    const url = canonicalUrl(raw)
    if (url === null || !usable(url.host)) return fail(`${shown} is not a URL. (Ex: http://example.com/path)`)
    return ok({ kind: 'url', key: canonicalText(url), host: url.host })
  }
  if (raw.includes('@')) return fail(`${shown} is an address. Give the domain behind the @.`)
  const host = canonicalHost(raw)
  if (!usable(host)) return fail(`${shown} is not a URL or a domain. (Ex: http://example.com/path or example.com)`)
  // A private suffix such as github.io may be judged: its own pages, never those of the names below it.
  if (registrable(host).registrySuffix)
    return fail(`${shown} is a public suffix: nobody's domain. Give a domain below it.`)
  return ok({ kind: 'domain', key: host, host })
}

const usable = (host: string): boolean => host !== '' && host.length <= 253 && !/[%*]/.test(host)

/** Everything whose opinions bear on the indicator, narrowest first: what `explain` looks at. */
export const scopesOf = (indicator: Indicator): readonly Scope[] => {
  if (indicator.kind === 'domain') return domainKeys(indicator.host).map((key) => ({ kind: 'domain', key }))
  const url = canonicalUrl(indicator.key)
  return url === null ? [] : scopesOfUrl(url)
}

export interface Scope {
  readonly kind: 'url' | 'domain'
  readonly key: string
}

export const scopesOfUrl = (url: NonNullable<ReturnType<typeof canonicalUrl>>): readonly Scope[] => {
  const keys = urlKeys(url)
  return domainKeys(url.host).flatMap((host): readonly Scope[] => [
    ...keys.filter((k) => k.startsWith(`${host}/`)).map((key) => ({ kind: 'url' as const, key })),
    { kind: 'domain', key: host },
  ])
}
