import type { FoundUrl } from './found.ts'
import { scanHtml } from './html.ts'
import { scanText } from './text.ts'

/**
 * The URLs of one decoded part, distinct, in order of appearance, at most `limit`. Linear in the length of `content`,
 * whatever it holds; never throws. http, https and ftp; see docs/intelligence/api.md for what counts as a URL.
 */
export const extractUrls = (
  part: { readonly kind: 'text' | 'html'; readonly content: string },
  limit: number,
): readonly FoundUrl[] => {
  const found = new Map<string, FoundUrl>()
  const add = (url: FoundUrl): boolean => {
    // One URL may stand in several spellings; each spelling is kept, so that rewriting finds them all.
    if (found.size < limit) found.set(`${url.url}\n${url.raw}`, found.get(`${url.url}\n${url.raw}`) ?? url)
    return found.size < limit
  }
  if (limit > 0) {
    if (part.kind === 'html') scanHtml(part.content, add)
    else scanText(part.content, 'text', add)
  }
  return [...found.values()]
}
