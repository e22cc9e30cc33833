import { Tokenizer } from 'htmlparser2'
import { absoluteUrl, MAX_URL } from './absolute.ts'
import type { FoundUrl } from './found.ts'
import { scanText } from './text.ts'

/**
 * URLs of an HTML part. The tokenizer is used without the parser: nesting is of no interest here, and the parser's
 * stack makes deeply nested tags quadratic (packages.md §2).
 */

const URL_ATTRIBUTES = new Set([
  'href',
  'src',
  'action',
  'formaction',
  'background',
  'poster',
  'data',
  'cite',
  'longdesc',
  'xlink:href',
  'lowsrc',
  'dynsrc',
])
// Tags that do not break a word: what they hold is read as one text with its neighbours.
const INLINE = new Set(['b', 'i', 'u', 'em', 'strong', 'span', 'font', 'wbr', 'small', 'big', 'mark'])
// Neither shown nor followed.
const SILENT = new Set(['script', 'style', 'title'])
const CSS_URL = /url\(\s*(?:"([^"()]{1,8192})"|'([^'()]{1,8192})'|([^\s"'()]{1,8192}))\s*\)/gi
const REFRESH = /^\s*[\d.]*\s*[;,]?\s*(?:url\s*=)?\s*["']?([^"']+)/i
const MAX_TEXT = 4 * 1024 * 1024

export const scanHtml = (html: string, add: (found: FoundUrl) => boolean, insideComment = false): void => {
  let tag = ''
  let attribute = ''
  let value = ''
  let attributes = new Map<string, string>()
  let base: string | null = null
  let silent: string | null = null
  let text = ''
  let css = ''
  let going = true

  const offer = (raw: string): void => {
    if (!going || raw === '') return
    const url = absoluteUrl(raw, base)
    if (url !== null) going = add({ raw: raw.slice(0, MAX_URL), url, where: 'html' })
  }
  const offerCss = (style: string): void => {
    for (const m of style.matchAll(CSS_URL)) offer(m[1] ?? m[2] ?? m[3] ?? '')
  }
  const flush = (): void => {
    if (going && text !== '') going = scanText(text, 'html', add)
    text = ''
  }
  const inspect = (): void => {
    const href = attributes.get('href')
    if (tag === 'base') {
      // The first base that can be one counts (HTML Living Standard, the base element).
      if (base === null && href !== undefined) base = absoluteUrl(href)
      if (base !== null && going) going = add({ raw: href ?? '', url: base, where: 'html' })
      return
    }
    if (tag === 'meta') {
      if (attributes.get('http-equiv')?.trim().toLowerCase() === 'refresh')
        offer(REFRESH.exec((attributes.get('content') ?? '').slice(0, MAX_URL))?.[1]?.trim() ?? '')
      return
    }
    for (const [name, content] of attributes) {
      if (URL_ATTRIBUTES.has(name)) offer(content)
      else if (name === 'srcset') for (const item of content.split(',')) offer(item.trim().split(/\s/, 1)[0] ?? '')
      else if (name === 'style') offerCss(content)
    }
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
        if (!INLINE.has(name)) flush()
      },
      ontext: (start, end) => {
        if (silent === 'style') css += html.slice(start, end)
        else if (silent === null && text.length < MAX_TEXT) text += html.slice(start, end)
      },
      ontextentity: (code) => {
        if (silent === null) text += String.fromCodePoint(code)
      },
      // Outlook follows links inside its conditional comments.
      oncomment: (start, end, offset) => {
        const comment = insideComment ? '' : html.slice(start, end - offset)
        if (going && /^\[if\b/i.test(comment)) scanHtml(comment.slice(comment.indexOf(']>') + 2), add, true)
      },
      oncdata: (start, end, offset) => {
        text += html.slice(start, end - offset)
      },
      ondeclaration: () => undefined,
      onprocessinginstruction: () => undefined,
      onend: () => undefined,
    },
  )
  tokenizer.write(html)
  tokenizer.end()
  if (silent === 'style') offerCss(css)
  flush()
}
