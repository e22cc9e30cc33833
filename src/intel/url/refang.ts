import { absoluteUrl, authorityEnd, hostOf, isPublicHost, MAX_URL } from './absolute.ts'

/**
 * Defanged URLs: written so that nobody can click them (`hxxp://evil[.]example`, our own `BLOCKED…BLOCKED`). They are
 * found, so that a warning's URLs are known; they are never rewritten.
 */

/** Stands behind every mark that was undone, so that the words that held one are known. */
const UNDONE = '\ue000'

const ANY =
  /hxxp|h\*\*p|htxp|meow|[[({][ \t]?(?:\.|dot)[ \t]?[\])}]|\[:(?:\/\/)?\]|\[\/\]|[A-Za-z0-9]\\\.[A-Za-z0-9]|BLOCKED/i

const RULES: readonly (readonly [RegExp, string])[] = [
  [/\[:\/\/\]/g, `://${UNDONE}`],
  [/\[:\]/g, `:${UNDONE}`],
  [/\[\/\]/g, `/${UNDONE}`],
  [/(?<![A-Za-z0-9])(?:hxxp|h\*\*p|htxp|meow)(s?)(?=[ \t]?:)/gi, `http$1${UNDONE}`],
  [/(?<=http\ue000|https\ue000)[ \t]?:[ \t]?\/\/[ \t]?/g, '://'],
  [/[ \t]?[[({][ \t]?(?:\.|dot)[ \t]?[\])}][ \t]?/gi, `.${UNDONE}`],
  [/(?<=[A-Za-z0-9])\\\.(?=[A-Za-z0-9])/g, `.${UNDONE}`],
]

const BETWEEN = /[\s"<>`\u00a0\u2000-\u200a\u2028\u2029\u3000]+/
const OURS = /BLOCKED(.+)BLOCKED/s

/** The absolute URLs of the defanged words of a text. `trim` takes sentence punctuation off their ends. */
export const defangedUrls = (text: string, trim: (url: string) => string): readonly string[] => {
  if (!ANY.test(text)) return []
  let plain = text.replaceAll(UNDONE, '')
  for (const [mark, meant] of RULES) plain = plain.replace(mark, meant)
  return plain.split(BETWEEN).flatMap((word) => {
    const url = word.includes(UNDONE) ? urlOf(word.replaceAll(UNDONE, '').slice(0, MAX_URL * 2), trim) : null
    return url === null ? [] : [url]
  })
}

const urlOf = (word: string, trim: (url: string) => string): string | null => {
  const ours = OURS.exec(word)?.[1]
  if (ours !== undefined) return absoluteUrl(`http://${ours}`)
  const scheme = /(?:https?|ftp):[\\/]{2}/i.exec(word)
  if (scheme) return absoluteUrl(trim(word.slice(scheme.index)))
  const bare = trim(word.replace(/^[^\p{L}\p{N}]+/u, ''))
  const host = hostOf(bare)
  // user[@]evil[.]example is an address.
  if (host === '' || bare.slice(0, authorityEnd(bare)).includes('@') || !isPublicHost(host)) return null
  return absoluteUrl(`http://${bare}`)
}
