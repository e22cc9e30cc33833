import { htmlPieces } from '../../intel/url/html-pieces.ts'
import type { HtmlAttribute, HtmlPiece } from '../../intel/url/html-pieces.ts'
import type { LinkRewriter } from './edit-urls.ts'

/** Text that stands as text in any HTML part of any ASCII-based charset: markup and everything outside ASCII escaped. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\x00-\x7f]/gu, (c) => `&#${c.codePointAt(0) ?? 0xfffd};`)

/** Documents inside the document: conditional comments, srcdoc. As deep as URLs are looked for. */
const MAX_INNER = 2

interface Change {
  readonly start: number
  readonly end: number
  readonly to: string
}

const splice = (html: string, changes: readonly Change[]): string => {
  let out = ''
  let at = 0
  for (const { start, end, to } of changes) {
    out += html.slice(at, start) + to
    at = end
  }
  return out + html.slice(at)
}

const changed = (html: string, start: number, end: number, edit: (text: string) => string): readonly Change[] => {
  const before = html.slice(start, end)
  const to = edit(before)
  return to === before ? [] : [{ start, end, to }]
}

/**
 * Rewrites links in HTML. An attribute that is the URL (href, src, action …) gets the new address or, when there is
 * none (defanged, or replaced by plain text), is taken off: the link is gone, the visible text stays.
 */
export const rewriteHtml = (html: string, rewriter: LinkRewriter, visibleText: boolean, inner = 0): string => {
  const document = (text: string): string =>
    inner < MAX_INNER ? rewriteHtml(text, rewriter, visibleText, inner + 1) : text
  const attribute = ({ name, value, start, end }: HtmlAttribute): readonly Change[] => {
    const put = (to: string): readonly Change[] => [{ start, end, to: `${name}="${escapeHtml(to)}"` }]
    const whole = rewriter.whole(value)
    if (whole === 'remove') return [{ start, end, to: '' }]
    if (whole !== 'none') return put(whole.to)
    const to = rewriter.text(name === 'srcdoc' ? document(value) : value, false)
    return to === value ? [] : put(to)
  }
  const comment = (text: string): string => {
    const conditional = /^\s*\[if\b[^]*?\]>/i.exec(text)?.[0] ?? ''
    return conditional + rewriter.text(conditional === '' ? text : document(text.slice(conditional.length)), true)
  }
  const change = (piece: HtmlPiece): readonly Change[] => {
    if (piece.kind === 'tag') return piece.attributes.flatMap(attribute)
    if (piece.kind === 'close') return []
    if (piece.kind === 'comment') return changed(html, piece.start, piece.end, comment)
    const shown = visibleText || piece.inside !== null
    // Text with markup in it (xmp, plaintext, CDATA): readers that do not know the element show the links.
    const read = (text: string): string => (piece.inside === null && /<[a-z]/i.test(text) ? document(text) : text)
    return changed(html, piece.start, piece.end, (text) => (shown ? rewriter.text(read(text), true) : read(text)))
  }
  return splice(html, htmlPieces(html).flatMap(change))
}

/** The HTML without what a reader sees as text: what is left is followed and loaded. */
export const withoutText = (html: string): string =>
  splice(
    html,
    htmlPieces(html).flatMap((p) =>
      p.kind === 'text' && p.inside !== 'style' ? [{ start: p.start, end: p.end, to: ' ' }] : [],
    ),
  )

/**
 * Takes off every attribute, style sheet and comment in which something is written that `holds` finds, in whatever
 * way (escapes of CSS, documents in `data:`, refreshes): for what a rewrite of the text cannot reach.
 */
export const removeFromHtml = (html: string, holds: (html: string) => boolean): string => {
  const tag = (name: string, attributes: readonly HtmlAttribute[]): boolean =>
    holds(`<${name} ${attributes.map((a) => `${a.name}="${escapeHtml(a.value)}"`).join(' ')}>`)
  const change = (piece: HtmlPiece): readonly Change[] => {
    if (piece.kind === 'tag') {
      const { name, attributes } = piece
      if (attributes.length === 0 || !tag(name, attributes)) return []
      const guilty = attributes.filter((a) => tag(name, [a]))
      const off =
        guilty.length > 0 &&
        !tag(
          name,
          attributes.filter((a) => !guilty.includes(a)),
        )
          ? guilty
          : attributes
      return off.map(({ start, end }) => ({ start, end, to: '' }))
    }
    if (piece.kind === 'close') return []
    const text = html.slice(piece.start, piece.end)
    const holding =
      piece.kind === 'comment' ? holds(`<!--${text}-->`) : piece.inside === 'style' && holds(`<style>${text}</style>`)
    return holding ? [{ start: piece.start, end: piece.end, to: '' }] : []
  }
  return splice(html, htmlPieces(html).flatMap(change))
}
