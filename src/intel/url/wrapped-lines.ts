/**
 * URLs that a sender's program broke over lines without angle brackets. With `delsp` (RFC 3676 §4.2) a line that ends in
 * a blank goes on without it; otherwise only a line that is full and whose end or continuation looks like a URL does.
 */

const FULL_LINE = 60
const MAX_LINES = 24
const MAX_LENGTH = 8192
const SCHEME = /(?:https?|ftp):\/\//gi
const ENDS_OPEN = /[/\-_=&?%#+~:,.]$/
const GOES_ON = /[0-9%=&?/_#~-]/
const FIRST = /^[A-Za-z0-9%&=?/_#.~+:-]/
/** Looks like a list, a quote, a signature or the next URL. */
const OWN_LINE = /^(?:>|[-*+]\s|--\s?$|(?:https?|ftp):\/\/|www\.)/i

const firstWord = (line: string): string => /^[^\s"<>]*/.exec(line)?.[0] ?? ''

/** As they stand in the text, line ends included. */
export const wrappedUrls = (text: string, delsp: boolean): readonly string[] => {
  const found: string[] = []
  const end = (from: number): number => {
    const lf = text.indexOf('\n', from)
    return lf < 0 ? text.length : lf
  }
  for (let start = 0; start < text.length;) {
    const first = end(start)
    let lineEnd = first
    const url = openUrl(text.slice(Math.max(start, lineEnd - MAX_LENGTH), lineEnd), delsp)
    if (url === null || (!delsp && lineEnd - start < FULL_LINE)) {
      start = first + 1
      continue
    }
    const from = lineEnd - url.length
    let to = lineEnd
    for (let lines = 0; lines < MAX_LINES && lineEnd < text.length; lines++) {
      const next = end(lineEnd + 1)
      const line = text.slice(lineEnd + 1, Math.min(next, lineEnd + 1 + MAX_LENGTH)).replace(/\r$/, '')
      const word = firstWord(line)
      if (word === '' || !FIRST.test(word) || OWN_LINE.test(line)) break
      const before = text.slice(from, lineEnd).trimEnd()
      if (!delsp && !ENDS_OPEN.test(before) && !GOES_ON.test(word)) break
      to = lineEnd + 1 + word.length
      lineEnd = next
      const whole = delsp ? word.length === line.length - 1 && line.endsWith(' ') : word.length === line.length
      if (!whole || to - from > MAX_LENGTH) break
    }
    if (to > first) found.push(text.slice(from, to))
    start = to > first ? to : first + 1
  }
  return found
}

/** The URL that reaches the end of the line, with the blank and CR behind it. */
const openUrl = (line: string, delsp: boolean): string | null => {
  if (!line.includes('://')) return null
  let at = -1
  for (const m of line.matchAll(SCHEME)) at = m.index
  if (at < 0) return null
  const rest = line.slice(at)
  return (delsp ? /^[^\s"<>]+ \r?$/ : /^[^\s"<>]+\r?$/).test(rest) ? rest : null
}
