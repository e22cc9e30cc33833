import type { Clock } from '../../core/clock.ts'
import { UserError } from '../../core/errors.ts'
import type { IntelStore, StoredRetro, SubmittedUrl } from '../../store/repositories/intel.ts'
import { canonicalUrl } from '../url/canonical.ts'
import { judgeUrl } from './judge-url.ts'

/** How long a submitted URL is watched: 168 hours (reference/url-retrospective-verdict.txt). */
export const WATCH_MS = 168 * 3600_000
/** Submissions of one device that are watched at a time. */
const MAX_SUBMISSIONS = 2_000_000
const CHUNK = 500
/**
 * Timestamps have whole seconds and a page never ends inside a second, so that asking again from the last timestamp
 * always goes on: not more than this many share one.
 */
const PER_SECOND = 200

export interface RetroPageResult {
  readonly retros: readonly StoredRetro[]
  readonly more: boolean
}

export interface RetroLedger {
  /** @throws UserError over the limits */
  submit(serial: string, items: readonly { readonly emailId: string; readonly url: string }[]): Promise<number>
  page(serial: string, since: Date, pageSize: number): RetroPageResult
  /** Looks at what is watched (on `host` and below, or all) and records what has turned malicious. */
  review(host: string | null): Promise<number>
  prune(): Promise<void>
}

const wholeSecond = (at: number): number => Math.floor(at / 1000) * 1000

export const createRetroLedger = (store: IntelStore, clock: Clock): RetroLedger => {
  const malicious = (item: SubmittedUrl): boolean => judgeUrl(store.opinions, item.url).level === 'untrusted'

  // One at a time: the timestamps of one review do not interleave with those of another.
  let last: Promise<unknown> = Promise.resolve()
  let stamp = 0
  let used = 0
  const nextStamp = (): Date => {
    const now = wholeSecond(clock.now().getTime())
    if (now > stamp) [stamp, used] = [now, 0]
    if (used++ >= PER_SECOND) [stamp, used] = [stamp + 1000, 1]
    return new Date(stamp)
  }
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
  const record = (items: readonly SubmittedUrl[]): Promise<number> =>
    store.retro.record(items.map((i) => ({ ...i, at: nextStamp() })))

  return {
    submit: async (serial, items) => {
      if (store.retro.count(serial) + items.length > MAX_SUBMISSIONS)
        throw new UserError(`The device watches ${MAX_SUBMISSIONS} URLs already.`)
      const fresh = await store.retro.submit(
        serial,
        items.map((i) => ({ ...i, host: canonicalUrl(i.url)?.host ?? '' })),
        clock.now(),
      )
      // The verdict may have turned between the look-up and the submission.
      const turned = fresh.filter(malicious)
      if (turned.length > 0) await inTurn(() => record(turned))
      return fresh.length
    },
    page: (serial, since, pageSize) => {
      // Also the seconds of `since` and of the last entry are given whole; see PER_SECOND.
      const rows = store.retro.page(serial, since, pageSize + 2 * PER_SECOND + 2)
      const start = wholeSecond(since.getTime())
      const beyond = rows.findIndex((r) => r.at.getTime() > start)
      const full = rows[Math.max(pageSize, beyond < 0 ? rows.length : beyond + 1) - 1]
      const until = full ? full.at.getTime() : Infinity
      const retros = rows.filter((r) => r.at.getTime() <= until)
      return { retros, more: retros.length < rows.length }
    },
    review: (host) =>
      inTurn(async () => {
        const since = new Date(clock.now().getTime() - WATCH_MS)
        let count = 0
        let after = 0
        for (;;) {
          const open = store.retro.open(since, host, after, CHUNK)
          const final = open[open.length - 1]
          if (!final) return count
          after = final.id
          const turned = open.filter(malicious)
          if (turned.length > 0) count += await record(turned)
          // Other work gets its turn between two chunks.
          await new Promise((resolve) => setImmediate(resolve))
        }
      }),
    // What a device may still ask for (it looks back some hours at most) outlives the watch by a day.
    prune: () => store.retro.prune(new Date(clock.now().getTime() - WATCH_MS - 24 * 3600_000)),
  }
}
