import { escapeHtml } from './edit-html.ts'
import { encodeText } from './charset.ts'
import type { MimePart } from './walk.ts'

export interface Stamp {
  readonly where: 'heading' | 'footer'
  readonly text: string
}

const BODY_TAG = /<body\b(?:[^>"']|"[^"]*"|'[^']*')*>/i

/** The stamp in a text part: lines of its own, with the line ends that the part has. */
const stampText = (content: string, stamp: Stamp): string => {
  const eol = /\r\n/.test(content) || !content.includes('\n') ? '\r\n' : '\n'
  const text = stamp.text.split(/\r?\n/).join(eol)
  if (stamp.where === 'heading') return `${text}${eol}${eol}${content}`
  return `${content}${content === '' || content.endsWith('\n') ? '' : eol}${eol}${text}${eol}`
}

/** The stamp as an escaped block inside the body element. */
const stampHtml = (content: string, stamp: Stamp): string => {
  const block = `<div>${stamp.text.split(/\r?\n/).map(escapeHtml).join('<br>')}</div>`
  if (stamp.where === 'heading') {
    const body = BODY_TAG.exec(content)
    const at = body ? body.index + body[0].length : 0
    return `${content.slice(0, at)}${block}${content.slice(at)}`
  }
  const close = content.toLowerCase().lastIndexOf('</body')
  const at = close < 0 ? content.length : close
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
