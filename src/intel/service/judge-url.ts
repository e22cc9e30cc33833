import type { OpinionStore } from '../../store/repositories/intel.ts'
import type { Decision } from '../combine.ts'
import { scopesOfUrl } from '../indicator.ts'
import { scoreOf, threatLevelOf } from '../levels.ts'
import { judge } from '../opinions.ts'
import { canonicalUrl } from '../url/canonical.ts'
import type { Opinion, UrlVerdict } from '../verdict.ts'

/** What a decision means for a URL; null or without an opinion: unknown. */
export const urlVerdict = (url: string, decision: Decision | null): UrlVerdict =>
  decision?.because
    ? {
        url,
        level: threatLevelOf(decision.level),
        score: scoreOf(decision.level),
        category: decision.because.category,
        because: decision.because,
      }
    : { url, level: 'unknown', score: null, category: null, because: null }

/** The verdict of a URL as found. What cannot be a URL is unknown. */
export const judgeUrl = (
  store: Pick<OpinionStore, 'bearingOn'>,
  url: string,
  asked?: (host: string) => readonly Opinion[],
): UrlVerdict => {
  const canonical = canonicalUrl(url)
  return urlVerdict(url, canonical === null ? null : judge(store, scopesOfUrl(canonical), asked?.(canonical.host)))
}
