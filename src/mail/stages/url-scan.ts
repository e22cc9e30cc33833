import { urlFiltering } from '../../config/sections/url-filtering.ts'
import { urlRetrospection } from '../../config/sections/url-retrospection.ts'
import type { UrlReputation } from '../../intel/lookup.ts'
import type { UrlVerdict } from '../../intel/verdict.ts'
import type { Direction } from '../../store/spool.ts'
import type { ParsedMessage } from '../message/parsed.ts'
import type { Edit, Stage } from '../pipeline/stage.ts'

/** Takes the URLs that the retrospective service is to watch. */
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

/** On a message whose URLs were not all looked up: a filter can act on it. */
const MARK = 'X-URL-LookUp-ScanningError'

const exceeded = (where: string): string => `The number of URLs in the message ${where} exceeded the URL scan limit.`

const shortcomings = (parsed: ParsedMessage): readonly string[] => [
  ...(parsed.urlsCut ? [exceeded('body')] : []),
  ...(parsed.attachmentUrlsCut ? [exceeded('attachments')] : []),
  ...(parsed.attachmentsLeft === null
    ? []
    : [`The attachments were not searched to their end: ${parsed.attachmentsLeft}.`]),
]

const isMarked = ({ headers }: ParsedMessage): boolean =>
  headers.some((h) => h.name.toLowerCase() === MARK.toLowerCase())

/** As in the reference, what has no score; with `urlretroservice setup` also what may still turn. */
const isWatched = ({ score, level }: UrlVerdict, scored: boolean): boolean =>
  score === null || (scored && level !== 'untrusted')

/** Looks up all URLs of the message in one batch, and marks a message that has more than may be looked up. */
export const urlScanStage = (reputation: UrlReputation, watch: UrlWatch): Stage => ({
  name: 'url-scan',
  enabled: ({ parsed }, ctx) =>
    ctx.config.get(urlFiltering).enabled &&
    (parsed.urls.length > 0 || isMarked(parsed) || shortcomings(parsed).length > 0),
  process: async ({ entry, parsed }, ctx) => {
    const reasons = shortcomings(parsed)
    for (const reason of reasons) ctx.events.publish({ type: 'message.partly-scanned', mid: entry.mid, reason })
    // The mark is ours: nobody else's counts.
    const edits: readonly Edit[] = [
      ...(isMarked(parsed) ? [{ kind: 'header.strip', name: MARK } as const] : []),
      ...reasons.map((value) => ({ kind: 'header.insert', name: MARK, value }) as const),
    ]
    const failed: string[] = []
    const verdicts = await reputation.lookup(
      {
        mid: entry.mid,
        source: 'antispam',
        connectionGuid: entry.connectionGuid,
        messageGuid: entry.messageGuid,
        urls: [...new Set(parsed.urls.map((u) => u.url))],
        outbound: entry.direction === 'outgoing',
        onFailed: (urls) => void failed.push(...urls),
      },
      ctx.signal,
    )
    const { enabled, watchScored } = ctx.config.get(urlRetrospection)
    // What nobody could be asked about may be malicious already: the service tells as soon as it knows of the URL.
    const watched = [...[...verdicts.values()].filter((v) => isWatched(v, watchScored)).map((v) => v.url), ...failed]
    if (entry.direction === 'incoming' && watched.length > 0 && enabled)
      await watch.watch(
        watched.map((url) => ({
          rootMid: entry.rootMid,
          messageId: entry.messageId,
          url,
          direction: entry.direction,
        })),
      )
    return { next: 'continue', findings: { urls: verdicts }, edits }
  },
})
