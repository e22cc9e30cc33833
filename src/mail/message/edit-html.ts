import type { LinkRewriter } from './edit-urls.ts'

const TAG =
  /<!--[\s\S]*?(?:-->|$)|<(script|style|textarea|title)\b[^<>]*>[\s\S]*?(?:<\/\1\s*>|$)|<\/?[a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>?/gi
const ATTRIBUTE = /([\s"'/])([a-zA-Z_:][-a-zA-Z0-9_:.]*)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  sol: '/',
  colon: ':',
  period: '.',
  nbsp: ' ',
}
const codePoint = (n: number): string =>
  n > 0 && n <= 0x10ffff && (n < 0xd800 || n > 0xdfff) ? String.fromCodePoint(n) : '\ufffd'

/** The character references that occur in URLs. */
export const unescapeHtml = (text: string): string =>
  text.replace(
    /&(?:#[xX]([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-zA-Z]{2,6}));?/g,
    (all, hex?: string, dec?: string, name?: string) => {
      if (hex !== undefined) return codePoint(Number.parseInt(hex, 16))
      if (dec !== undefined) return codePoint(Number(dec))
      return NAMED[(name ?? '').toLowerCase()] ?? all
    },
  )

/** Text that stands as text in any HTML part of any ASCII-based charset: markup and everything outside ASCII escaped. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\x00-\x7f]/gu, (c) => `&#${c.codePointAt(0) ?? 0xfffd};`)

/**
 * Rewrites links in HTML. An attribute that is the URL (href, src, action …) gets the new address or, when there is
 * none (defanged, or replaced by plain text), is taken off: the link is gone, the visible text stays.
 */
export const rewriteHtml = (html: string, rewriter: LinkRewriter, visibleText: boolean): string => {
  let out = ''
  let at = 0
  for (const m of html.matchAll(TAG)) {
    const between = html.slice(at, m.index)
    out += visibleText ? rewriter.text(between, true) : between
    out += m[0].startsWith('<!--') || m[1] !== undefined ? rewriter.text(m[0], true) : rewriteTag(m[0], rewriter)
    at = m.index + m[0].length
  }
  const rest = html.slice(at)
  return out + (visibleText ? rewriter.text(rest, true) : rest)
}

const rewriteTag = (tag: string, rewriter: LinkRewriter): string =>
  tag.replace(ATTRIBUTE, (all, before: string, name: string, equals: string, quoted: string) => {
    const quote = /^["']/.exec(quoted)?.[0] ?? ''
    const value = unescapeHtml(quote === '' ? quoted : quoted.slice(1, -1))
    const whole = rewriter.whole(value)
    if (whole === 'none') {
      const changed = rewriter.text(value, false)
      return changed === value ? all : `${before}${name}${equals}"${escapeHtml(changed)}"`
    }
    if (whole === 'remove') return before === '/' ? '/' : before
    return `${before}${name}${equals}"${escapeHtml(whole.to)}"`
  })
