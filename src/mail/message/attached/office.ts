/** Parts of OOXML documents, for their URLs only. Namespace names are URLs too, and are none to anybody's reader. */

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

/** The character references that occur in documents. */
const unescapeHtml = (text: string): string =>
  text.replace(
    /&(?:#[xX]([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-zA-Z]{2,6}));?/g,
    (all, hex?: string, dec?: string, name?: string) => {
      if (hex !== undefined) return codePoint(Number.parseInt(hex, 16))
      if (dec !== undefined) return codePoint(Number(dec))
      return NAMED[(name ?? '').toLowerCase()] ?? all
    },
  )

const RELATIONSHIP = /<(?:[a-z0-9]{1,16}:)?Relationship\s[^<>]{0,20000}>/gi
const TARGET = /\sTarget\s*=\s*(?:"([^"]*)"|'([^']*)')/i
const EXTERNAL = /\sTargetMode\s*=\s*["']External["']/i

/** The outside targets of a `.rels` part (hyperlinks, linked images, attached templates), one a line. */
export const relationTargets = (xml: string): string =>
  [...xml.matchAll(RELATIONSHIP)]
    .filter(([tag]) => EXTERNAL.test(tag))
    .map(([tag]) => {
      const m = TARGET.exec(tag)
      return unescapeHtml(m?.[1] ?? m?.[2] ?? '')
    })
    .join('\n')

/** The running text of a part: runs of a paragraph joined, so that a URL is whole however it was typed. */
export const officeText = (xml: string): string =>
  unescapeHtml(
    xml
      .replace(/<\/?(?:w:(?:p|br|cr|tab|instrText|tc)|a:(?:p|br)|si|is|c|f|row)(?:\s[^<>]{0,4000})?\/?>/g, '\n')
      .replace(/<[^<>]{0,20000}>/g, ''),
  )
