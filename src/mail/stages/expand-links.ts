import { urlFiltering } from '../../config/sections/url-filtering.ts'
import { withDeadline } from '../../core/deadline.ts'
import type { FoundUrl } from '../../intel/url/found.ts'
import { isShortened } from '../../intel/url/shorteners.ts'
import type { ShortLinks } from '../../intel/url/shorteners.ts'
import type { Stage } from '../pipeline/stage.ts'

/** Distinct short links of one message that are asked for, and the time that all of them may take together. */
const MAX_LINKS = 20
const DEADLINE_MS = 10_000

/**
 * Finds where short links lead (`websecurityadvancedconfig`; off by default), before any filter asks for a reputation.
 * The target is judged beside the short link, and an action that hits it rewrites the short link.
 */
export const expandLinksStage = (shortLinks: ShortLinks): Stage => ({
  name: 'expand-links',
  enabled: ({ parsed }, ctx) => {
    const settings = ctx.config.get(urlFiltering)
    return settings.enabled && settings.expandShortened && parsed.urls.some((u) => isShortened(u.url))
  },
  process: async ({ entry, parsed }, { config, env, events, signal }) => {
    const short = [...new Set(parsed.urls.map((u) => u.url).filter(isShortened))].slice(0, MAX_LINKS)
    const targets = new Map<string, string>()
    const depth = config.get(urlFiltering).maxShortenedDepth
    const expandAll = (stop: AbortSignal): Promise<unknown> =>
      Promise.all(
        short.map(async (url) => {
          const target = await shortLinks.expand(url, depth, stop)
          if (target === null || stop.aborted) return
          targets.set(url, target)
          events.publish({ type: 'url.expanded', mid: entry.mid, url, target })
        }),
      )
    try {
      await withDeadline(env.clock, DEADLINE_MS, signal, expandAll)
    } catch (error) {
      // What was found in time counts; the short links themselves are judged in any case.
      if (signal.aborted) throw error
    }
    const urls = parsed.urls.flatMap((found): readonly FoundUrl[] => {
      const target = targets.get(found.url)
      return target === undefined ? [] : [{ ...found, url: target, hidden: 'expanded' }]
    })
    return { next: 'continue', urls }
  },
})
