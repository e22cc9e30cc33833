import type { Decision } from './combine.ts'
import { scoreOf, threatLevelOf } from './levels.ts'
import type { UrlVerdict } from './verdict.ts'

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
