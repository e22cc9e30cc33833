import { Tokenizer } from 'htmlparser2'
import { absoluteUrl, hostOf, MAX_URL } from './absolute.ts'
import { cssUrls } from './css.ts'
import type { FoundUrl } from './found.ts'
import { registrable } from './suffix.ts'
import { hiddenTargets } from './targets.ts'
import { scanText } from './text.ts'
import { base64Decoded, percentDecoded } from './unescape.ts'

/**
 * URLs of an HTML part as a mail client follows and loads them. The tokenizer is used without the parser: nesting is of
 * no interest here, and the parser's stack makes deeply nested tags quadratic (packages.md §2).
 */

const URL_ATTRIBUTES = new Set([
  ...['href', 'src', 'action', 'formaction', 'background', 'poster', 'data', 'cite', 'longdesc', 'lowsrc', 'dynsrc'],
  ...['xlink:href', 'o:href', 'ping', 'manifest', 'codebase', 'classid', 'pluginspage', 'icon', 'profile'],
])
const SOURCE_SETS = new Set(['srcset', 'imagesrcset'])
/** SVG changes a link by animation. */
const ANIMATED = ['to', 'from', 'by', 'values']
// Tags that do not break a word: what they hold is read as one text with its neighbours.
const INLINE = new Set(['b', 'i', 'u', 'em', 'strong', 'span', 'font', 'wbr', 'small', 'big', 'mark'])
// Neither shown nor followed.
const SILENT = new Set(['script', 'style', 'title'])
const REFRESH = /^\s*[\d.]*\s*[;,]?\s*(?:url\s*=)?\s*["']?([^"']+)/i
const DATA_HTML = /^\s*data:(?:text\/html|image\/svg\+xml|application\/xhtml\+xml)[^,]{0,100},/i
const MAX_TEXT = 4 * 1024 * 1024
const MAX_RELATIVE = 1000
const MAX_SHOWN = 512
/** Documents inside the document: conditional comments, srcdoc, data:. */
const MAX_INNER = 2

export const scanHtml = (html: string, add: (found: FoundUrl) => boolean, inner = 0): void => {
  let tag = ''
  let attribute = ''
  let value = ''
  let attributes = new Map<string, string>()
  let base: string | null = null
  // References before the base belong to it too.
  const relative: string[] = []
  let anchor: { readonly raw: string; readonly url: string; shown: string } | null = null
  let silent: string | null = null
  let text = ''
  let css = ''
  let going = true

  const offer = (raw: string): void => {
    if (!going || raw === '') return
    const url = absoluteUrl(raw, base)
    if (url !== null) going = add({ raw: raw.slice(0, MAX_URL), url, where: 'html' })
    else if (DATA_HTML.test(raw)) document(dataDocument(raw))
    else if (/^[a-z][a-z0-9+.-]*:/i.test(raw)) offerInside(raw)
    else if (base === null && relative.length < MAX_RELATIVE) relative.push(raw)
  }
  /** `mailto:…?body=http://…`, `intent://`, `search-ms:`: what another scheme carries. */
  const offerInside = (raw: string): void => {
    const written = raw.slice(0, MAX_URL)
    for (const { url, how } of hiddenTargets(`other://x/?${written.slice(written.indexOf(':') + 1)}`))
      if (going) going = add({ raw: written, url, where: 'html', hidden: how })
  }
  const document = (content: string): void => {
    if (going && inner < MAX_INNER && content !== '') scanHtml(content, add, inner + 1)
  }
  const offerCss = (style: string): void => cssUrls(style).forEach(offer)
  const flush = (): void => {
    if (going && text !== '') going = scanText(text, 'html', add)
    text = ''
  }
  /** Notes a link whose visible text names another domain than it leads to. */
  const endAnchor = (): void => {
    if (anchor !== null && going) {
      const { raw, url, shown } = anchor
      if (misleads(shown, url)) going = add({ raw, url, where: 'html', shown: shown.trim() })
    }
    anchor = null
  }
  const inspect = (): void => {
    const href = attributes.get('href')
    if (tag === 'base') {
      // The first base that can be one counts (HTML Living Standard, the base element).
      if (base === null && href !== undefined) base = absoluteUrl(href)
      if (base !== null && going) going = add({ raw: href ?? '', url: base, where: 'html' })
      if (base !== null) relative.splice(0).forEach(offer)
      return
    }
    if (tag === 'meta') {
      if (attributes.get('http-equiv')?.trim().toLowerCase() === 'refresh')
        offer(REFRESH.exec((attributes.get('content') ?? '').slice(0, MAX_URL))?.[1]?.trim() ?? '')
      return
    }
    if (tag === 'param' && /^(?:movie|src|url|href|filename)$/i.test(attributes.get('name') ?? ''))
      offer(attributes.get('value') ?? '')
    if (/href$/i.test(attributes.get('attributename') ?? ''))
      for (const name of ANIMATED) (attributes.get(name) ?? '').split(';').forEach((v) => offer(v.trim()))
    for (const [name, content] of attributes) {
      if (name === 'ping') content.split(/\s+/).forEach(offer)
      else if (URL_ATTRIBUTES.has(name)) offer(content)
      else if (SOURCE_SETS.has(name)) for (const item of content.split(',')) offer(item.trim().split(/\s/, 1)[0] ?? '')
      else if (name === 'style') offerCss(content)
      else if (name === 'srcdoc') document(content)
    }
    if (tag === 'a' && href !== undefined) {
      endAnchor()
      const url = absoluteUrl(href, base)
      anchor = url === null ? null : { raw: href.slice(0, MAX_URL), url, shown: '' }
    }
  }
  const show = (more: string): void => {
    if (silent !== null) return
    if (text.length < MAX_TEXT) text += more
    if (anchor !== null && anchor.shown.length < MAX_SHOWN) anchor.shown += more.slice(0, MAX_SHOWN)
  }
  const openTagEnd = (): void => {
    inspect()
    attributes = new Map()
    if (!INLINE.has(tag)) flush()
    if (silent === null && SILENT.has(tag)) silent = tag
    if (!going) tokenizer.pause()
  }

  const tokenizer = new Tokenizer(
    { xmlMode: false, decodeEntities: true },
    {
      onopentagname: (start, end) => {
        tag = html.slice(start, end).toLowerCase()
        attributes = new Map()
      },
      onattribname: (start, end) => {
        attribute = html.slice(start, end).toLowerCase()
        value = ''
      },
      onattribdata: (start, end) => {
        value += html.slice(start, end)
      },
      onattribentity: (code) => {
        value += String.fromCodePoint(code)
      },
      // The first of two equal attributes counts (HTML: duplicate-attribute parse error).
      onattribend: () => {
        if (!attributes.has(attribute)) attributes.set(attribute, value)
      },
      onopentagend: openTagEnd,
      onselfclosingtag: openTagEnd,
      onclosetag: (start, end) => {
        const name = html.slice(start, end).toLowerCase()
        if (name === silent) {
          if (silent === 'style') offerCss(css)
          css = ''
          silent = null
        }
        if (name === 'a') endAnchor()
        if (!INLINE.has(name)) flush()
      },
      ontext: (start, end) => {
        if (silent === 'style') css += html.slice(start, end)
        else show(html.slice(start, end))
      },
      ontextentity: (code) => show(String.fromCodePoint(code)),
      // Outlook follows links inside its conditional comments.
      oncomment: (start, end, offset) => {
        const comment = html.slice(start, end - offset)
        if (/^\s*\[if\b/i.test(comment)) document(comment.slice(comment.indexOf(']>') + 2))
      },
      oncdata: (start, end, offset) => show(html.slice(start, end - offset)),
      ondeclaration: () => undefined,
      onprocessinginstruction: () => undefined,
      onend: () => undefined,
    },
  )
  tokenizer.write(html)
  tokenizer.end()
  if (silent === 'style') offerCss(css)
  endAnchor()
  flush()
}

const dataDocument = (raw: string): string => {
  const comma = raw.indexOf(',')
  const body = percentDecoded(raw.slice(comma + 1))
  return /;\s*base64\s*$/i.test(raw.slice(0, comma)) ? base64Decoded(body.replace(/\s/g, '')) : body
}

const domainOf = (url: string): string => {
  const host = hostOf(url.slice(url.indexOf('://') + 3)).toLowerCase()
  return registrable(host).domain ?? host
}

/** The text is a URL of another registrable domain than the link, and no wrapper or tracker leads from one to the other. */
const misleads = (shown: string, url: string): boolean => {
  const text = shown.trim()
  const named = text === '' || /\s/.test(text) ? null : absoluteUrl(text)
  if (named === null) return false
  const domain = domainOf(named)
  return domain !== domainOf(url) && !hiddenTargets(url).some((target) => domainOf(target.url) === domain)
}
