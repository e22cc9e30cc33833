import { Tokenizer } from 'htmlparser2'

/** From the name to behind the closing quote; character references of the value are undone. */
export interface HtmlAttribute {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** What an edit of HTML can touch, by offsets; cut by the tokenizer that finds the URLs, so that both see the same. */
export type HtmlPiece =
  /** `end`: behind the `>`. */
  | { readonly kind: 'tag'; readonly name: string; readonly attributes: readonly HtmlAttribute[]; readonly end: number }
  /** `start`: the `<`. */
  | { readonly kind: 'close'; readonly name: string; readonly start: number }
  /** `inside`: the element whose text is none to a reader (script, style, title, textarea), else null. */
  | { readonly kind: 'text'; readonly inside: string | null; readonly start: number; readonly end: number }
  /** What stands between the marks. */
  | { readonly kind: 'comment'; readonly start: number; readonly end: number }

const RAW = new Set(['script', 'style', 'title', 'textarea'])

/** Tags with their attributes, stretches of text and comments, in order. Linear in the length; never throws. */
export const htmlPieces = (html: string): readonly HtmlPiece[] => {
  const pieces: HtmlPiece[] = []
  let tag = ''
  let attributes: HtmlAttribute[] = []
  let name = ''
  let nameAt = 0
  let value = ''
  let inside: string | null = null
  let text: { start: number; end: number } | null = null

  const endText = (): void => {
    if (text) pieces.push({ kind: 'text', inside, ...text })
    text = null
  }
  const show = (start: number, end: number): void => {
    if (text) text.end = end
    else text = { start, end }
  }
  const endTag = (at: number): void => {
    pieces.push({ kind: 'tag', name: tag, attributes, end: at + 1 })
    if (inside === null && RAW.has(tag)) inside = tag
  }
  const tokenizer = new Tokenizer(
    { xmlMode: false, decodeEntities: true },
    {
      onopentagname: (start, end) => {
        endText()
        tag = html.slice(start, end).toLowerCase()
        attributes = []
      },
      onattribname: (start, end) => {
        name = html.slice(start, end).toLowerCase()
        nameAt = start
        value = ''
      },
      onattribdata: (start, end) => {
        value += html.slice(start, end)
      },
      onattribentity: (code) => {
        value += String.fromCodePoint(code)
      },
      onattribend: (_quote, end) => {
        if (value !== '') attributes.push({ name, value, start: nameAt, end })
      },
      onopentagend: endTag,
      onselfclosingtag: endTag,
      onclosetag: (start, end) => {
        endText()
        const closed = html.slice(start, end).toLowerCase()
        if (closed === inside) inside = null
        pieces.push({ kind: 'close', name: closed, start: html.lastIndexOf('<', start) })
      },
      ontext: show,
      ontextentity: (_code, end) => show(html.lastIndexOf('&', end - 1), end),
      oncomment: (start, end, offset) => {
        endText()
        pieces.push({ kind: 'comment', start, end: end - offset })
      },
      oncdata: (start, end, offset) => show(start, end - offset),
      ondeclaration: endText,
      onprocessinginstruction: endText,
      onend: () => undefined,
    },
  )
  tokenizer.write(html)
  tokenizer.end()
  endText()
  return pieces
}
