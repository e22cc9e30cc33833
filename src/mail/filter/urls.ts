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

export type ScoreTest = (score: number | null) => boolean

/** Scores are inclusive at both ends; a URL without a score is in no range. */
export const readRange = (args: ArgumentReader): ScoreTest => {
  const min = args.number('the lowest score')
  const max = args.number('the highest score')
  if (min < -10 || max > 10 || min > max)
    throw new BadUse('A URL reputation goes from -10.0 to 10.0, the lower end first.')
  return (score) => score !== null && score >= min && score <= max
}

export const withoutScore: ScoreTest = (score) => score === null

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
  test: ScoreTest,
  listed: (url: string) => boolean,
  within: (found: FoundUrl) => boolean,
): Promise<readonly MatchedUrl[]> => {
  const urls = facts.parsed.urls.filter(within)
  if (urls.length === 0) return []
  const verdicts = await facts.urls()
  return urls.flatMap((found): readonly MatchedUrl[] => {
    const verdict = verdicts.get(found.url)
    return verdict && test(verdict.score) && !listed(found.url) ? [{ found, verdict }] : []
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
