import { absoluteUrl, authorityEnd, hostOf, isPublicHost } from './absolute.ts'
import { base64Decoded, percentDecoded } from './unescape.ts'
import { wrappedTargets } from './wrappers.ts'
import type { UrlParts } from './wrappers.ts'

/** A URL that another URL carries: no request is made to find it. */
export interface HiddenTarget {
  readonly url: string
  readonly how: 'wrapped' | 'nested'
}

const MAX_TARGETS = 16
const MAX_DEPTH = 5
const MAX_LAYERS = 4
const MAX_ITEMS = 64

const INSIDE = /(?:https?|ftp):[\\/]{1,3}[^\\/\s"'<>|][^\s"'<>|]*/i
const BASE64_URL = /^(?:aHR0c|SFRUU|ZnRwO)[A-Za-z0-9+/_-]{6,}={0,2}$/

const partsOf = (url: string): UrlParts => {
  const rest = url.slice(url.indexOf('://') + 3)
  const tail = rest.slice(authorityEnd(rest))
  const noFragment = tail.split('#', 1)[0] ?? ''
  const mark = noFragment.indexOf('?')
  return {
    host: hostOf(rest).toLowerCase(),
    path: mark < 0 ? noFragment : noFragment.slice(0, mark),
    query: mark < 0 ? '' : noFragment.slice(mark + 1),
    tail,
  }
}

/** The URL that a value is or holds, under up to four layers of escapes. */
const targetIn = (value: string): string | null => {
  let text = value
  // Text with a URL in it: where that ends is seen when the escapes are undone.
  let within: string | null = null
  for (let layer = 0; layer <= MAX_LAYERS; layer++) {
    const inside = INSIDE.exec(text)
    if (inside?.index === 0) return absoluteUrl(inside[0])
    if (inside) within = inside[0]
    if (/^[\\/]{2}[^\\/]/.test(text)) {
      const host = hostOf(text.slice(2))
      if (host !== '' && isPublicHost(host)) return absoluteUrl(`http:${text}`)
    }
    if (/^www\./i.test(text) && isPublicHost(hostOf(text))) return absoluteUrl(`http://${text}`)
    const next = BASE64_URL.test(text) ? base64Decoded(text) : percentDecoded(text)
    if (next === text) break
    text = next
  }
  return within === null ? null : absoluteUrl(within)
}

const nested = ({ path, query, tail }: UrlParts): readonly string[] => {
  const found: (string | null)[] = []
  // `https://archive.example/2020/http://other.example/x?y`: the query is the inner URL's.
  const inner = tail.slice(1).search(/(?:https?|ftp):\/{1,2}[^/]/i)
  if (inner >= 0 && inner < path.length) found.push(targetIn(tail.slice(1 + inner)))
  for (const segment of path.split('/').slice(0, MAX_ITEMS))
    if (/^(?:https?%|www\.|aHR0c)/i.test(segment)) found.push(targetIn(segment))
  const hash = tail.indexOf('#')
  const items = `${query}${hash < 0 ? '' : `&${tail.slice(hash + 1)}`}`.split(/[&;]/)
  for (const item of items.slice(0, MAX_ITEMS)) found.push(targetIn(item.slice(item.indexOf('=') + 1)))
  return found.filter((t) => t !== null)
}

const step = (url: string): readonly HiddenTarget[] => {
  const parts = partsOf(url)
  const wrapped = (wrappedTargets(parts) ?? []).map(targetIn).filter((t) => t !== null)
  if (wrapped.length > 0) return wrapped.map((target) => ({ url: target, how: 'wrapped' }))
  return nested(parts).map((target) => ({ url: target, how: 'nested' }))
}

/** Everything that `url` carries, and what that carries: each once, at most sixteen. */
export const hiddenTargets = (url: string): readonly HiddenTarget[] => {
  const found = new Map<string, HiddenTarget>()
  let level: readonly string[] = [url]
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = []
    for (const outer of level)
      for (const target of step(outer)) {
        if (target.url === url || found.has(target.url) || found.size >= MAX_TARGETS) continue
        found.set(target.url, target)
        next.push(target.url)
      }
    level = next
  }
  return [...found.values()]
}
