import type { FoundUrl } from '../../intel/url/found.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import { BadUse } from './arguments.ts'
import type { ArgumentReader } from './arguments.ts'
import type { Facts } from './facts.ts'
import type { Resources } from './resources.ts'

export interface MatchedUrl {
  readonly found: FoundUrl
  readonly verdict: UrlVerdict
}

export type VerdictTest = (verdict: UrlVerdict) => boolean

/** Scores are inclusive at both ends; a URL without a score is in no range. */
export const readRange = (args: ArgumentReader): VerdictTest => {
  const min = args.number('the lowest score')
  const max = args.number('the highest score')
  if (min < -10 || max > 10 || min > max)
    throw new BadUse('A URL reputation goes from -10.0 to 10.0, the lower end first.')
  return ({ score }) => score !== null && score >= min && score <= max
}

export const withoutScore: VerdictTest = ({ score }) => score === null

const UNCLASSIFIED = 'unclassified'

/** The words of the sources, in any case; `Unclassified` is what nobody has a word for. */
export const readCategories = (args: ArgumentReader): VerdictTest => {
  const names = args.strings('the categories').map((name) => name.trim().toLowerCase())
  if (names.length === 0 || names.includes('')) throw new BadUse('A category has a name.')
  const wanted = new Set(names)
  return ({ category }) => wanted.has(category?.trim().toLowerCase() ?? UNCLASSIFIED)
}

/** URLs on the list are not evaluated at all. */
export const readUrlList = (args: ArgumentReader, resources: Resources): ((url: string) => boolean) => {
  const name = args.listName()
  if (name === null) return () => false
  const listed = resources.urlList(name)
  if (!listed) throw new BadUse(`There is no URL list '${name}'. Create it with urllistconfig.`)
  return listed
}

/** Every spelling of every URL of the message that meets the test. */
export const matchingUrls = async (
  facts: Facts,
  test: VerdictTest,
  listed: (url: string) => boolean,
  within: (found: FoundUrl) => boolean,
): Promise<readonly MatchedUrl[]> => {
  const urls = facts.parsed.urls.filter(within)
  if (urls.length === 0) return []
  const verdicts = await facts.urls()
  return urls.flatMap((found): readonly MatchedUrl[] => {
    const verdict = verdicts.get(found.url)
    return verdict && test(verdict) && !listed(found.url) ? [{ found, verdict }] : []
  })
}

/** One log line a URL, however often and in whatever spelling it stands in the message. */
export const tellMatches = (
  facts: Facts,
  matches: readonly MatchedUrl[],
  what: 'Condition' | 'Action',
  detail: string,
): void => {
  for (const [url, m] of new Map(matches.map((m) => [m.found.url, m])))
    facts.urlMatched(url, m.verdict.score, what, detail)
}
