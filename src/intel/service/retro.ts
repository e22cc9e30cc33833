import type { Clock } from '../../core/clock.ts'
import { UserError } from '../../core/errors.ts'
import type { IntelStore, NewObserved, RetroCause, StoredRetro } from '../../store/repositories/intel.ts'
import { createMatcher, createSettler } from './match.ts'
import { createObservedIndexer } from './observed-index.ts'

/** How long a submitted URL is watched: 168 hours (reference/url-retrospective-verdict.txt). */
export const WATCH_MS = 168 * 3600_000
/** What a device may still ask for (it looks back some hours at most) outlives the watch by a day. */
const KEEP_MS = WATCH_MS + 24 * 3600_000
/** Submissions of one device that are watched at a time. */
const MAX_SUBMISSIONS = 2_000_000
/**
 * Timestamps have whole seconds and a page never ends inside a second, so that asking again from the last timestamp
 * always goes on: not more than this many share one.
 */
const PER_SECOND = 1000
/** The appliance and commands beside it stamp on their own: so many processes can meet in one second. */
const STAMPERS = 3

export interface RetroPageResult {
  readonly retros: readonly StoredRetro[]
  readonly more: boolean
}

export interface RetroLedger {
  /** @throws UserError over the limits */
  submit(serial: string, items: readonly NewObserved[]): Promise<number>
  page(serial: string, since: Date, pageSize: number): RetroPageResult
  causes(
    serial: string,
    keys: readonly { readonly emailId: string; readonly ref: string }[],
  ): readonly (RetroCause | null)[]
  /** Looks at what is watched under a key whose opinions changed. @returns how many retrospections are new. */
  changed(probe: bigint): Promise<number>
  /** The same for every change that waits, also from before a restart. */
  catchUp(): Promise<number>
  /** Changed keys that wait. */
  waiting(): number
  /** Resolves when nothing is written any more. */
  settled(): Promise<void>
  prune(): Promise<void>
}

const wholeSecond = (at: number): number => Math.floor(at / 1000) * 1000

export const createRetroLedger = (store: IntelStore, clock: Clock, maxSubmissions = MAX_SUBMISSIONS): RetroLedger => {
  let stamped = store.retro.latest()?.getTime() ?? 0
  let used = PER_SECOND
  const stamp = (): Date => {
    const now = wholeSecond(clock.now().getTime())
    if (now > stamped) [stamped, used] = [now, 0]
    if (used++ >= PER_SECOND) [stamped, used] = [stamped + 1000, 1]
    return new Date(stamped)
  }
  const settle = createSettler({ store, clock, watchMs: WATCH_MS, stamp })
  const indexer = createObservedIndexer(store.observed)
  const matcher = createMatcher({ store, indexed: indexer.now, settle })

  return {
    submit: async (serial, items) => {
      if (store.observed.count(serial) + items.length > maxSubmissions)
        throw new UserError(`The device watches ${maxSubmissions} URLs already.`)
      const rows = await store.observed.append(serial, items, clock.now())
      indexer.arrived(rows.length)
      // The verdict may have turned between the look-up and the submission.
      await settle(rows)
      return rows.length
    },
    page: (serial, since, pageSize) => {
      // Also the seconds of `since` and of the last entry are given whole; see PER_SECOND.
      const rows = store.retro.page(serial, since, pageSize + 2 * STAMPERS * PER_SECOND + 2)
      const start = wholeSecond(since.getTime())
      const beyond = rows.findIndex((r) => r.at.getTime() > start)
      const full = rows[Math.max(pageSize, beyond < 0 ? rows.length : beyond + 1) - 1]
      const until = full ? full.at.getTime() : Infinity
      const retros = rows.filter((r) => r.at.getTime() <= until)
      return { retros, more: retros.length < rows.length }
    },
    causes: (serial, keys) => store.retro.causes(serial, keys),
    changed: (probe) => matcher.one(probe),
    catchUp: () => matcher.all(),
    waiting: () => store.changes.count(),
    settled: () => indexer.settled(),
    prune: async () => {
      const before = new Date(clock.now().getTime() - KEEP_MS)
      await store.observed.prune(before)
      await store.retro.prune(before)
    },
  }
}
