import { escapeHtml, removeFromHtml, rewriteHtml, withoutText } from './edit-html.ts'

/** What to do with one attribute value or one stretch of text. */
export interface LinkRewriter {
  /** The value is one URL: taken off, rewritten, or none of ours. */
  whole(value: string): 'none' | 'remove' | { readonly to: string }
  /** Every URL inside the text; `html` escapes what is put in. */
  text(text: string, html: boolean): string
}

export interface UrlRewrite {
  /** As found in the parts → what stands there instead. */
  readonly replacements: ReadonlyMap<string, string>
  readonly mode: 'defang' | 'replace'
  /** Change the visible text as well as the link (`websecurityconfig`). */
  readonly visibleText: boolean
}

const escapePattern = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
/** A URL goes on after this match: it is another, longer one. */
const GOES_ON = '(?![A-Za-z0-9_~%+=&#@-]|[./:?][A-Za-z0-9])'
const LINK = /^[a-z][a-z0-9+.-]*:\/\//i
const MAX_PER_PATTERN = 200

/** `known`: every URL found in the part, so that a short one is never replaced inside a longer one. */
export const createRewriter = (rewrite: UrlRewrite, known: Iterable<string>): LinkRewriter => {
  const forms = new Map<string, string>()
  for (const raw of [...rewrite.replacements.keys(), ...known]) {
    forms.set(raw, raw)
    forms.set(raw.replaceAll('&', '&amp;'), raw)
    forms.set(escapeHtml(raw), raw)
  }
  const ordered = [...forms.keys()].filter((f) => f !== '').sort((a, b) => b.length - a.length)
  const patterns: RegExp[] = []
  for (let i = 0; i < ordered.length; i += MAX_PER_PATTERN)
    patterns.push(
      new RegExp(
        `(?:${ordered
          .slice(i, i + MAX_PER_PATTERN)
          .map(escapePattern)
          .join('|')})${GOES_ON}`,
        'g',
      ),
    )
  const replacement = (form: string, html: boolean): string => {
    const to = rewrite.replacements.get(forms.get(form) ?? '')
    if (to === undefined) return form
    return html ? escapeHtml(to) : to
  }
  return {
    whole: (value) => {
      const to = rewrite.replacements.get(value) ?? rewrite.replacements.get(value.trim())
      if (to === undefined) return 'none'
      return rewrite.mode === 'replace' && LINK.test(to) ? { to } : 'remove'
    },
    text: (text, html) => substitute(text, patterns, (form) => replacement(form, html)),
  }
}

/** One pass: what was put in is never looked at again, by this pattern or the next. */
const substitute = (text: string, patterns: readonly RegExp[], replace: (form: string) => string): string => {
  const hits: { readonly start: number; readonly end: number; readonly form: string }[] = []
  for (const pattern of patterns)
    for (const m of text.matchAll(pattern)) hits.push({ start: m.index, end: m.index + m[0].length, form: m[0] })
  if (hits.length === 0) return text
  hits.sort((a, b) => a.start - b.start || b.end - a.end)
  let out = ''
  let at = 0
  for (const hit of hits) {
    if (hit.start < at) continue
    out += text.slice(at, hit.start) + replace(hit.form)
    at = hit.end
  }
  return out + text.slice(at)
}

/** The spellings of URLs in a text part or in HTML, as the scan found them. */
export type FindSpellings = (content: string) => readonly string[]

/** A URL that was to go is still in the content, in some spelling; unless its replacement brings it along. */
export const holdsUrl = (
  kind: 'text' | 'html',
  content: string,
  { replacements }: UrlRewrite,
  find: FindSpellings,
): boolean =>
  find(kind === 'html' ? withoutText(content) : content).some((raw) => replacements.get(raw)?.includes(raw) === false)

/**
 * The content with its URLs rewritten. What was found can stand there in a spelling that no search for text meets: it
 * is looked for again, and taken out with the attribute that holds it. @throws Error when a URL is still there.
 */
export const rewriteUrls = (
  kind: 'text' | 'html',
  content: string,
  rewrite: UrlRewrite,
  find: FindSpellings,
): string => {
  const rewriter = createRewriter(rewrite, find(content))
  const left = (text: string): boolean => holdsUrl(kind, text, rewrite, find)
  const rewritten =
    kind === 'html' ? rewriteHtml(content, rewriter, rewrite.visibleText) : rewriter.text(content, false)
  if (!left(rewritten)) return rewritten
  const without = kind === 'html' ? removeFromHtml(rewritten, left) : rewritten
  if (left(without)) throw new Error('a URL could not be rewritten')
  return without
}
