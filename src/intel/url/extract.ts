import type { FoundUrl } from './found.ts'
import { scanHtml } from './html.ts'
import { hiddenTargets } from './targets.ts'
import { scanText } from './text.ts'

/** One decoded part of a message. */
export interface UrlPart {
  readonly kind: 'text' | 'html'
  readonly content: string
  /** format=flowed with delsp=yes. */
  readonly delsp?: boolean
}

/**
 * The URLs of one decoded part, distinct, in order of appearance, at most `limit`. Linear in the length of `content`,
 * whatever it holds; never throws. http, https and ftp; see docs/intelligence/api.md for what counts as a URL.
 */
export const extractUrls = (part: UrlPart, limit: number): readonly FoundUrl[] => {
  const found = new Map<string, FoundUrl>()
  const add = (url: FoundUrl): boolean => {
    // One URL may stand in several spellings; each spelling is kept, so that rewriting finds them all.
    const key = `${url.url}\n${url.raw}`
    const before = found.get(key)
    if (before) {
      if (url.shown !== undefined) found.set(key, { ...before, shown: url.shown })
      return true
    }
    if (found.size >= limit) return false
    found.set(key, url)
    for (const target of hiddenTargets(url.url))
      if (found.size < limit && !found.has(`${target.url}\n${url.raw}`))
        found.set(`${target.url}\n${url.raw}`, { ...url, url: target.url, hidden: url.hidden ?? target.how })
    return found.size < limit
  }
  if (limit > 0) {
    if (part.kind === 'html') scanHtml(part.content, add)
    else scanText(part.content, 'text', add, { lines: true, delsp: part.delsp === true })
  }
  return [...found.values()]
}
