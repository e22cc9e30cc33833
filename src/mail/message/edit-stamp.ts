import { htmlPieces } from '../../intel/url/html-pieces.ts'
import { escapeHtml } from './edit-html.ts'
import { encodeText } from './charset.ts'
import type { MimePart } from './walk.ts'

export interface Stamp {
  readonly where: 'heading' | 'footer'
  readonly text: string
}

/** The stamp in a text part: lines of its own, with the line ends that the part has. */
const stampText = (content: string, stamp: Stamp): string => {
  const eol = /\r\n/.test(content) || !content.includes('\n') ? '\r\n' : '\n'
  const text = stamp.text.split(/\r?\n/).join(eol)
  if (stamp.where === 'heading') return `${text}${eol}${eol}${content}`
  return `${content}${content === '' || content.endsWith('\n') ? '' : eol}${eol}${text}${eol}`
}

/** Where the content of the body element begins and ends for a reader: what stands in a comment is no tag. */
const bodyOf = (html: string): { readonly start: number; readonly end: number } => {
  const pieces = htmlPieces(html)
  const open = pieces.find((p) => p.kind === 'tag' && p.name === 'body')
  const close = pieces.findLast((p) => p.kind === 'close' && p.name === 'body')
  return { start: open?.kind === 'tag' ? open.end : 0, end: close?.kind === 'close' ? close.start : html.length }
}

/** The stamp as an escaped block inside the body element. */
const stampHtml = (content: string, stamp: Stamp): string => {
  const block = `<div>${stamp.text.split(/\r?\n/).map(escapeHtml).join('<br>')}</div>`
  const { start, end } = bodyOf(content)
  const at = stamp.where === 'heading' ? start : end
  return `${content.slice(0, at)}${block}${content.slice(at)}`
}

export const applyStamp = (kind: 'text' | 'html', content: string, stamp: Stamp): string =>
  kind === 'html' ? stampHtml(content, stamp) : stampText(content, stamp)

/** HTML holds every character as a reference; a text part only what its charset holds. */
export const charsetHolds = (part: MimePart, kind: 'text' | 'html', stamp: Stamp): boolean =>
  kind === 'html' || encodeText(stamp.text, part.type.parameters.get('charset') ?? 'us-ascii') !== null

/** A text/plain part of its own, encoded so that no relay need touch it. */
export const stampPart = (stamp: Stamp): string => {
  const body = Buffer.from(`${stamp.text.split(/\r?\n/).join('\r\n')}\r\n`, 'utf8').toString('base64')
  return (
    'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n' +
    (body.match(/.{1,76}/g) ?? []).join('\r\n')
  )
}
