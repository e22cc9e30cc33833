import { urlFiltering } from '../../config/sections/url-filtering.ts'
import { urlRetrospection } from '../../config/sections/url-retrospection.ts'
import type { UrlReputation } from '../../intel/lookup.ts'
import type { Direction } from '../../store/spool.ts'
import type { Stage } from '../pipeline/stage.ts'

/** Takes the URLs that were answered without a score; the retrospective service watches them. */
export interface UrlWatch {
  watch(
    urls: readonly {
      readonly rootMid: number
      readonly messageId: string | null
      readonly url: string
      readonly direction: Direction
    }[],
  ): Promise<void>
}

/** Looks up all URLs of the message in one batch. */
export const urlScanStage = (reputation: UrlReputation, watch: UrlWatch): Stage => ({
  name: 'url-scan',
  enabled: (message, ctx) => ctx.config.get(urlFiltering).enabled && message.parsed.urls.length > 0,
  process: async ({ entry, parsed }, ctx) => {
    const verdicts = await reputation.lookup(
      {
        mid: entry.mid,
        source: 'antispam',
        connectionGuid: entry.connectionGuid,
        messageGuid: entry.messageGuid,
        urls: [...new Set(parsed.urls.map((u) => u.url))],
        outbound: entry.direction === 'outgoing',
      },
      ctx.signal,
    )
    const unscored = [...verdicts.values()].filter((v) => v.score === null)
    if (entry.direction === 'incoming' && unscored.length > 0 && ctx.config.get(urlRetrospection).enabled)
      await watch.watch(
        unscored.map(({ url }) => ({
          rootMid: entry.rootMid,
          messageId: entry.messageId,
          url,
          direction: entry.direction,
        })),
      )
    return { next: 'continue', findings: { urls: verdicts } }
  },
})
