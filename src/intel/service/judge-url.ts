import type { OpinionStore } from '../../store/repositories/intel.ts'
import { scopesOfUrl } from '../indicator.ts'
import { scoreOf, threatLevelOf } from '../levels.ts'
import { judge } from '../opinions.ts'
import { canonicalUrl } from '../url/canonical.ts'
import type { UrlVerdict } from '../verdict.ts'

/** The verdict of a URL as found. What cannot be a URL is unknown. */
export const judgeUrl = (store: Pick<OpinionStore, 'bearingOn'>, url: string): UrlVerdict => {
  const canonical = canonicalUrl(url)
  const decision = canonical === null ? null : judge(store, scopesOfUrl(canonical))
  if (!decision?.because) return { url, level: 'unknown', score: null, category: null, because: null }
  return {
    url,
    level: threatLevelOf(decision.level),
    score: scoreOf(decision.level),
    category: decision.because.category,
    because: decision.because,
  }
}
