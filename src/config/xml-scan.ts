import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { printableCut } from '../core/text.ts'
import type { LineError } from './store.ts'

/** Larger files are refused before they are looked at: the event loop, and with it all mail, waits for the parser. */
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_DEPTH = 32
/** Elements, each with its two tags, and references. To parse and read more would hold the event loop, and with it all mail, for longer than a second. */
const MAX_MARKS = 60_000

/** XML 1.0 §2.2 Char, the other way round. */
export const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
/** Nothing but the five predefined entities and character references: no entity is ever defined or fetched. */
const REFERENCE = /&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));/y
const TAG = /<(\/?)([A-Za-z_][A-Za-z0-9_.-]*)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<&]*"|'[^'<&]*'))*)\s*(\/?)>/y
const DECLARATION = /<\?xml\s[^?<>]*\?>/y
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** Names by which a parser's plain objects could be led astray; no configuration element has one. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype'])

const decodeReference = (named?: string, decimal?: string, hex?: string): string | null => {
  if (named !== undefined) return NAMED[named] ?? null
  const code = decimal === undefined ? parseInt(hex ?? '', 16) : parseInt(decimal, 10)
  if (!(code <= 0x10ffff)) return null
  const character = String.fromCodePoint(code)
  return NOT_XML.test(character) ? null : character
}

/** Text of an element that `scanXml` has passed → what it stands for. */
export const decodeText = (raw: string): string =>
  raw.replace(new RegExp(REFERENCE.source, 'g'), (all, named?: string, decimal?: string, hex?: string) => {
    return decodeReference(named, decimal, hex) ?? all
  })

export interface LineIndex {
  (offset: number): number
}

export const lineIndex = (text: string): LineIndex => {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (offset) => {
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] as number) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

const endOf = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from)
  return at < 0 ? -1 : at + mark.length
}

/** Where a bare DOCTYPE ends, or why it is refused: a DTD is never read, so one with content cannot be honoured. */
const doctypeEnd = (text: string, from: number): Result<number> => {
  for (let i = from; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '>') return ok(i + 1)
    if (c === '[') return fail('a DOCTYPE with declarations is refused; remove it')
    if (c === '"' || c === "'") {
      i = text.indexOf(c, i + 1)
      if (i < 0) break
    }
  }
  return fail('the DOCTYPE is not closed')
}

const checkDeclaration = (declaration: string): string | null => {
  const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1]
  if (encoding === undefined || /^(utf-8|us-ascii)$/i.test(encoding)) return null
  return `the file must be in UTF-8, not in ${printableCut(encoding, 40)}; convert it and change this line`
}

/**
 * Checks that a text is well-formed XML of the plain kind that a configuration file is, and says where it is not.
 * Answers the text with line ends as LF and a bare DOCTYPE blanked out: safe for the parser. Linear in its length.
 */
export const scanXml = (source: string): Result<string, LineError> => {
  if (source.length > MAX_CHARACTERS)
    return fail({ line: 1, message: `the file is larger than ${MAX_CHARACTERS / 1024 / 1024} million characters` })
  let text = source.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n')
  const lineAt = lineIndex(text)
  const at = (offset: number, message: string): Result<never, LineError> => fail({ line: lineAt(offset), message })

  const odd = NOT_XML.exec(text)
  if (odd) return at(odd.index, 'a character that XML does not allow')

  const open: { readonly name: string; readonly offset: number }[] = []
  let rootSeen = false
  let marks = 0
  let i = 0
  while (i < text.length) {
    const c = text.charAt(i)
    if ((c === '<' || c === '&') && ++marks > 2 * MAX_MARKS)
      return at(i, `the file has more than ${MAX_MARKS} elements; load it in parts`)
    if (c === '&') {
      REFERENCE.lastIndex = i
      const found = REFERENCE.exec(text)
      if (!found || decodeReference(found[1], found[2], found[3]) === null)
        return at(i, 'an & that does not begin &lt; &gt; &amp; &quot; &apos; or a character reference; write &amp;')
      if (open.length === 0) return at(i, 'text outside of <config>')
      i += found[0].length
    } else if (c !== '<') {
      const from = i
      while (i < text.length && text[i] !== '<' && text[i] !== '&') i++
      const outside = open.length === 0 ? /\S/.exec(text.slice(from, i)) : null
      if (outside) return at(from + outside.index, 'text outside of <config>')
      if (text.slice(from, i).includes(']]>')) return at(from, ']]> outside of a CDATA section; write ]]&gt;')
    } else if (text.startsWith('<!--', i)) {
      const end = endOf(text, '-->', i + 4)
      if (end < 0) return at(i, 'the comment is not closed')
      i = end
    } else if (text.startsWith('<![CDATA[', i)) {
      const end = endOf(text, ']]>', i + 9)
      if (open.length === 0 || end < 0) return at(i, 'a CDATA section outside of <config> or without its end')
      i = end
    } else if (text.startsWith('<!DOCTYPE', i)) {
      const end = doctypeEnd(text, i + 9)
      if (!end.ok) return at(i, end.error)
      if (rootSeen) return at(i, 'a DOCTYPE after the first element')
      text = text.slice(0, i) + text.slice(i, end.value).replace(/[^\n]/g, ' ') + text.slice(end.value)
      i = end.value
    } else if (text.startsWith('<?', i)) {
      DECLARATION.lastIndex = i
      const found = i === 0 ? DECLARATION.exec(text) : null
      if (!found) return at(i, 'a processing instruction; only <?xml … ?> on the first line is allowed')
      const encoding = checkDeclaration(found[0])
      if (encoding !== null) return at(i, encoding)
      i += found[0].length
    } else {
      TAG.lastIndex = i
      const found = TAG.exec(text)
      const name = found?.[2] ?? ''
      if (!found || RESERVED.has(name))
        return at(i, 'a < that does not begin a proper tag; write &lt; for the character')
      if (found[1] === '/') {
        const opened = open.pop()
        if (opened?.name !== name || found[3] !== '' || found[4] !== '')
          return at(
            i,
            opened
              ? `</${name}> where </${opened.name}> is needed (<${opened.name}> of line ${lineAt(opened.offset)})`
              : `</${name}> without <${name}>`,
          )
      } else {
        if (open.length === 0 && rootSeen) return at(i, `<${name}> after the end of the file's one element`)
        rootSeen = true
        if (found[4] === '') open.push({ name, offset: i })
        if (open.length > MAX_DEPTH) return at(i, `elements are nested more than ${MAX_DEPTH} deep`)
      }
      i += found[0].length
    }
  }
  const unclosed = open.pop()
  if (unclosed) return at(unclosed.offset, `<${unclosed.name}> is not closed`)
  return rootSeen ? ok(text) : at(0, 'there is no <config> in it')
}
