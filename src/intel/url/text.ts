import { absoluteUrl, INVISIBLE, isEverydayHost, isPublicHost, MAX_URL } from './absolute.ts'
import type { FoundUrl } from './found.ts'
import { defangedUrls } from './refang.ts'
import { wrappedUrls } from './wrapped-lines.ts'

/**
 * Finds URLs in running text in one pass: every character is looked at a bounded number of times, whatever the text.
 * (linkify-it as test oracle; packages.md measured it at 4.8 MB/s and this kind of scanner at some hundred.)
 */

/** How far a `<` is followed to its `>` to join a URL that was wrapped over lines (RFC 3986 appendix C). */
const MAX_BRACKETED = 2048

// What ends a word: blanks, quotes and angle brackets, controls, CJK brackets and punctuation.
const BREAK =
  /[\u0000-\u0020"<>`\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u3001\u3008-\u3011\uff0c\uff1b\u201c\u201d\u00ab\u00bb]/
const WORD = new RegExp(`[^${BREAK.source.slice(1, -1)}]+`, 'g')
/** A URL has a dot or a colon inside: words without are not even looked at. */
const INSIDE = new RegExp(`[.:\\u3002\\uff0e\\uff61](?=[^${BREAK.source.slice(1, -1)}])`, 'g')
const SCHEME = /(?:https?|ftp):[\\/]{2}/gi
// A list without blanks: `http://a.example,http://b.example`; a Markdown link: `[http://a.example](http://b.example)`.
const NEXT_IN_LIST = /(?:[,;|]|\]\()(?=(?:https?|ftp):\/\/)/gi
const DOT = /[.\u3002\uff0e\uff61]/g
const HOST_CHARACTER = /[\p{L}\p{N}_.\u00ad\u200b-\u200d\u2060\u3002\ufeff\uff0e\uff61-]/u
// Characters that cannot stand in a host name end the URL when they come before its path.
const NOT_IN_AUTHORITY = /[!"$&'()*+,;<=>^`{|}]/

const TRAILING = new Set('.,;:!?\'"*…。，；：！？'.split(''))
const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

/** Drops sentence punctuation and closing brackets without partner from the end. */
export const trimEnd = (url: string): string => {
  const last = url.at(-1) ?? ''
  if (!TRAILING.has(last) && !(last in CLOSING)) return url
  const open: Record<string, number> = { '(': 0, '[': 0, '{': 0 }
  for (const c of url) {
    if (c in open) open[c] = (open[c] ?? 0) + 1
    const partner = CLOSING[c]
    if (partner !== undefined) open[partner] = (open[partner] ?? 0) - 1
  }
  let end = url.length
  for (; end > 0; end--) {
    const c = url[end - 1] as string
    const partner = CLOSING[c]
    if (partner !== undefined) {
      if ((open[partner] ?? 0) >= 0) break
      open[partner] = (open[partner] ?? 0) + 1
    } else if (!TRAILING.has(c)) break
  }
  return url.slice(0, end)
}

/** Cuts `http://host)more` where the authority cannot go on. */
const cutAuthority = (candidate: string, schemeLength: number): string => {
  const rest = candidate.slice(schemeLength)
  const slash = rest.search(/[/\\?#]/)
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const at = authority.lastIndexOf('@') + 1
  const stop = authority.slice(at).search(NOT_IN_AUTHORITY)
  return stop < 0 ? candidate : candidate.slice(0, schemeLength + at + stop)
}

const withScheme = (word: string): readonly string[] => {
  SCHEME.lastIndex = 0
  const first = SCHEME.exec(word)
  if (!first) return []
  return word
    .slice(first.index)
    .split(NEXT_IN_LIST)
    .map((part) => trimEnd(cutAuthority(part, part.search(/[\\/]{2}/) + 2)))
}

const isBoundary = (before: string | undefined): boolean => before === undefined || "([{'*,;:|=>~_".includes(before)

/** `www.example.com`, `example.com/path`, `example.com`: names that readers take for links. */
const withoutScheme = (word: string): string | null => {
  DOT.lastIndex = 0
  let done = 0
  for (let m = DOT.exec(word); m; m = DOT.exec(word)) {
    // Around each dot as far as a host name goes; what was looked at once is not looked at again.
    let start = m.index
    while (start > done && HOST_CHARACTER.test(word[start - 1] as string)) start--
    let end = m.index + 1
    while (end < word.length && HOST_CHARACTER.test(word[end] as string)) end++
    DOT.lastIndex = done = end
    const link = linkAt(word, start, end)
    if (link !== null) return link
  }
  return null
}

const linkAt = (word: string, start: number, end: number): string | null => {
  const after = word[end]
  // user@host is an address, and what follows its @ is no link.
  if (end - start > 254 || !isBoundary(word[start - 1]) || after === '@') return null
  const written = trimEnd(word.slice(start, end))
  const host = written.replace(INVISIBLE, '')
  // The full stop of a sentence, mostly.
  if (!/[^.][.\u3002\uff0e\uff61][^.]/.test(host)) return null
  const port = after === ':' && /\d/.test(word[end + 1] ?? '')
  const path = after === '/' || after === '?' || after === '#' || port
  const link = /^www\./i.test(host) || path ? isPublicHost(host) : isEverydayHost(host)
  if (!link) return null
  return path ? trimEnd(word.slice(start)) : written
}

/** A URL between angle brackets may be wrapped: blanks are not part of it, line breaks are left out. */
const bracketed = (text: string, start: number): string | null => {
  const window = text.slice(start, start + MAX_BRACKETED)
  if (!/^(?:url:)?(?:https?|ftp):\/\//i.test(window)) return null
  const end = window.search(/[<>]/)
  if (end < 0 || window[end] !== '>') return null
  const inside = window.slice(0, end)
  return /[\r\n]/.test(inside) && !/[^\S\r\n]/.test(inside) ? inside : null
}

/** How the text is to be read beyond single words. */
export interface TextShape {
  /** Lines are lines, so a URL may have been broken at their ends; not so in the visible text of HTML. */
  readonly lines: boolean
  /** format=flowed with delsp=yes (RFC 3676). */
  readonly delsp: boolean
}

export const scanText = (
  text: string,
  where: FoundUrl['where'],
  add: (found: FoundUrl) => boolean,
  shape: TextShape = { lines: false, delsp: false },
): boolean => {
  const offer = (text: string): boolean => {
    const raw = text.replace(/^url:/i, '')
    const url = raw === '' ? null : absoluteUrl(raw)
    return url === null || add({ raw: raw.slice(0, MAX_URL), url, where })
  }
  const offerWrapped = (raw: string): boolean => {
    const joined = trimEnd(raw.replace(shape.delsp ? / \r?\n/g : /\r?\n/g, ''))
    const url = absoluteUrl(joined)
    return url === null || add({ raw: trimEnd(raw), url, where })
  }
  let done = 0
  INSIDE.lastIndex = 0
  for (let hit = INSIDE.exec(text); hit; hit = INSIDE.exec(text)) {
    let start = hit.index
    while (start > done && !BREAK.test(text[start - 1] as string)) start--
    const joined = text[start - 1] === '<' ? bracketed(text, start) : null
    if (joined !== null) {
      if (!offer(joined)) return false
      INSIDE.lastIndex = done = start + joined.length
      continue
    }
    WORD.lastIndex = start
    const word = WORD.exec(text)?.[0] ?? ''
    INSIDE.lastIndex = done = start + word.length
    const found = withScheme(word)
    if (found.length > 0) {
      for (const raw of found) if (!offer(raw)) return false
    } else {
      const bare = withoutScheme(word)
      if (bare !== null && !offer(bare)) return false
    }
  }
  if (shape.lines) for (const raw of wrappedUrls(text, shape.delsp)) if (!offerWrapped(raw)) return false
  for (const url of defangedUrls(text, trimEnd)) if (!add({ raw: url, url, where, hidden: 'defanged' })) return false
  return true
}
