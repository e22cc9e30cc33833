import { setImmediate as turn } from 'node:timers/promises'
import type { ObservedStore } from '../../store/repositories/intel.ts'
import { canonicalUrl } from '../url/canonical.ts'
import { urlKeys } from '../url/expressions.ts'
import { expressionHash } from '../url/hash.ts'

export interface Candidate {
  readonly key: string
  readonly hash: Buffer
}

/** Mail goes on between so many URLs. */
const ROWS = 100
/** Confirmed together. */
const BATCH = 500

export const candidatesOf = (url: string): readonly Candidate[] => {
  const canonical = canonicalUrl(url)
  return canonical === null ? [] : urlKeys(canonical).map((key) => ({ key, hash: expressionHash(key) }))
}

/**
 * Goes through everything that is watched, since no index knows the beginnings of hashes: what has come into a list may
 * lie there for days. Each URL costs some microseconds, once an update.
 */
export const watchedUnder = async (
  observed: Pick<ObservedStore, 'partitions' | 'urls'>,
  wanted: (hash: Buffer) => boolean,
  confirm: (candidates: readonly Candidate[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const found = new Map<string, Candidate>()
  const flush = async (): Promise<void> => {
    const batch = [...found.values()]
    found.clear()
    if (batch.length > 0) await confirm(batch)
  }
  for (const partition of observed.partitions())
    for (let after = 0; ;) {
      signal.throwIfAborted()
      const rows = observed.urls(partition, after, ROWS)
      const last = rows[rows.length - 1]
      if (last === undefined) break
      after = last.id
      for (const { url } of rows)
        for (const candidate of candidatesOf(url)) if (wanted(candidate.hash)) found.set(candidate.key, candidate)
      if (found.size >= BATCH) await flush()
      await turn()
    }
  await flush()
}
