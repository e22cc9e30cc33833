const URLS = /url\(\s*(?:"([^"()]{1,8192})"|'([^'()]{1,8192})'|([^\s"'()]{1,8192}))\s*\)/gi
const IMPORTS = /@import\s{1,16}(?:"([^"]{1,8192})"|'([^']{1,8192})')/gi

/** CSS Syntax §4.3.7: `\3a ` is a colon, `\X` is X, a backslash before a line end is nothing. */
const unescaped = (css: string): string =>
  css.includes('\\')
    ? css.replace(/\\(?:([0-9a-fA-F]{1,6})\s?|(\r?\n)|([^]))/g, (_, hex?: string, _end?: string, plain?: string) => {
        if (hex === undefined) return plain ?? ''
        const code = Number.parseInt(hex, 16)
        return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
      })
    : css

/** What a style sheet loads: `url()` and `@import`, in order; comments between the words do not count. */
export const cssUrls = (style: string): readonly string[] => {
  const css = unescaped(style.replace(/\/\*[^]*?(?:\*\/|$)/g, ''))
  return [...css.matchAll(URLS), ...css.matchAll(IMPORTS)]
    .sort((a, b) => a.index - b.index)
    .map((m) => m[1] ?? m[2] ?? m[3] ?? '')
}
