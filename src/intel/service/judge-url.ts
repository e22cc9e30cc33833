import type { OpinionStore } from '../../store/repositories/intel.ts'
import { scopesOfUrl } from '../indicator.ts'
import { judge } from '../opinions.ts'
import { urlVerdict } from '../url-verdict.ts'
import { canonicalUrl } from '../url/canonical.ts'
import type { Opinion, UrlVerdict } from '../verdict.ts'

/** The verdict of a URL as found. What cannot be a URL is unknown. */
export const judgeUrl = (
  store: Pick<OpinionStore, 'bearingOn'>,
  url: string,
  asked?: (host: string) => readonly Opinion[],
): UrlVerdict => {
  const canonical = canonicalUrl(url)
  return urlVerdict(url, canonical === null ? null : judge(store, scopesOfUrl(canonical), asked?.(canonical.host)))
}
