import type { Clock } from '../../core/clock.ts'
import { createInTurn } from '../../core/in-turn.ts'
import type { IntelStore, ObservedUrl, OpinionChange, RetroKey } from '../../store/repositories/intel.ts'
import type { Decision } from '../combine.ts'
import { threatLevelOf } from '../levels.ts'
import { judgeHashes } from '../opinions.ts'
import { urlRef } from '../url/hash.ts'
import { keysOf } from './observed-index.ts'

/** Changed keys looked for together. */
const PROBES = 500
/** Rows held at a time. */
const ROWS = 2000
const WRITE = 500

export const isMalicious = (decision: Decision): boolean => threatLevelOf(decision.level) === 'untrusted'

const keyOf = (row: ObservedUrl): RetroKey => ({
  device: row.device,
  emailId: row.emailId,
  ref: row.ref ?? urlRef(row.url ?? ''),
})

/**
 * What an observed URL's verdict means for its entry: a retrospection when it has turned, a retraction when it has turned
 * back. Doing it twice gives the same.
 */
export const createSettler = (deps: {
  readonly store: IntelStore
  readonly clock: Clock
  readonly watchMs: number
  readonly stamp: () => Date
}) => {
  const { store, clock, watchMs, stamp } = deps
  /** @returns how many retrospections are new. */
  return async (rows: readonly ObservedUrl[]): Promise<number> => {
    const since = clock.now().getTime() - watchMs
    const turned: Parameters<IntelStore['retro']['record']>[0][number][] = []
    const back: (RetroKey & { readonly at: Date })[] = []
    const decisions = new Map<string, Decision>()
    for (const row of rows) {
      const key = keyOf(row)
      const decision = decisions.get(key.ref) ?? judgeHashes(store.opinions, keysOf(row).hashes)
      decisions.set(key.ref, decision)
      const state = store.retro.state(key)
      if (isMalicious(decision) && decision.because) {
        if (state === 'malicious' || (state === null && row.at.getTime() < since)) continue
        const { source, indicator, reason, asOf } = decision.because
        turned.push({ ...key, url: row.url, at: stamp(), cause: { source, indicator, reason, asOf } })
      } else if (state === 'malicious') back.push({ ...key, at: stamp() })
    }
    let fresh = 0
    for (let at = 0; at < turned.length; at += WRITE) fresh += await store.retro.record(turned.slice(at, at + WRITE))
    for (let at = 0; at < back.length; at += WRITE) await store.retro.withdraw(back.slice(at, at + WRITE))
    return fresh
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Works off the changes of opinions: everything observed that one may cover is judged again. */
export const createMatcher = (deps: {
  readonly store: IntelStore
  /** Brings what has arrived into the index. */
  readonly indexed: () => Promise<void>
  readonly settle: (rows: readonly ObservedUrl[]) => Promise<number>
}) => {
  const { store, indexed, settle } = deps
  const { observed } = store

  /** Oldest partition first, rows by arrival. */
  const probe = async (probes: readonly bigint[]): Promise<number> => {
    let fresh = 0
    for (const partition of observed.partitions()) {
      await turn()
      const rows = observed.find(partition, probes, 0, ROWS)
      if (rows.length < ROWS) fresh += await settle(distinct(rows))
      // Too many at once: one key after the other, page by page.
      else for (const one of probes) fresh += await pages(partition, one)
    }
    return fresh
  }

  const pages = async (partition: number, one: bigint): Promise<number> => {
    let fresh = 0
    for (let after = 0; ;) {
      const rows = observed.find(partition, [one], after, ROWS)
      const last = rows[rows.length - 1]
      if (last === undefined) return fresh
      fresh += await settle(rows)
      after = last.id
      await turn()
    }
  }

  // Work of operators takes its turn between two steps of the queue's.
  const inTurn = createInTurn()

  const step = async (changes: readonly OpinionChange[]): Promise<number> => {
    const fresh = await probe([...new Set(changes.map((c) => c.probe))])
    await store.changes.done(changes)
    return fresh
  }

  return {
    /** What one key covers, now. */
    one: async (key: bigint): Promise<number> => {
      await indexed()
      return await inTurn(async () => {
        const mine = store.changes.next(PROBES).filter((c) => c.source === '' && c.probe === key)
        const fresh = await probe([key])
        if (mine.length > 0) await store.changes.done(mine)
        return fresh
      })
    },
    /** Everything that waits; goes on where a crash ended it. @returns how many retrospections are new. */
    all: async (): Promise<number> => {
      let fresh = 0
      while (store.changes.next(1).length > 0) {
        await indexed()
        fresh += await inTurn(async () => {
          const changes = store.changes.next(PROBES)
          return changes.length === 0 ? 0 : await step(changes)
        })
      }
      return fresh
    },
  }
}

const distinct = (rows: readonly ObservedUrl[]): readonly ObservedUrl[] =>
  [...new Map(rows.map((r) => [r.id, r])).values()].sort((a, b) => a.id - b.id)
