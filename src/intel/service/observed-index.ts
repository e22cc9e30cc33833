import { createInTurn } from '../../core/in-turn.ts'
import type { ObservedStore, ObservedUrl } from '../../store/repositories/intel.ts'
import { canonicalUrl } from '../url/canonical.ts'
import { indexHashes, watchKeys } from '../url/watch-keys.ts'
import type { WatchKeys } from '../url/watch-keys.ts'

const READ = 1000
/** Rows that are brought into the index together: their hashes are sorted, so that each page is written once. */
const ROUND = 20_000
/** Pairs a transaction: the writer has other work too. */
const WRITE = 5000

const NONE: WatchKeys = { hashes: [], index: [] }

export const keysOf = (row: Pick<ObservedUrl, 'url' | 'keys'>): WatchKeys => {
  if (row.keys !== null) return row.keys
  const url = row.url === null ? null : canonicalUrl(row.url)
  return url === null ? NONE : watchKeys(url)
}

const indexOf = ({ url, keys }: Pick<ObservedUrl, 'url' | 'keys'>): readonly bigint[] => {
  if (keys !== null) return keys.index.map((at) => keys.hashes[at] as bigint)
  const canonical = url === null ? null : canonicalUrl(url)
  return canonical === null ? [] : indexHashes(canonical)
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The pairs in the order of their hashes' upper halves: near enough to touch each page of the index once. */
const inOrder = (hashes: readonly bigint[], ids: readonly number[]): BigInt64Array => {
  // 32 bits of hash above 21 bits of position fit into a double, and those sort fast.
  const keys = Float64Array.from(hashes, (h, i) => Number(h >> 32n) * 2_097_152 + i).sort()
  const out = new BigInt64Array(keys.length * 2)
  keys.forEach((key, n) => {
    const i = ((key % 2_097_152) + 2_097_152) % 2_097_152
    out[2 * n] = hashes[i] as bigint
    out[2 * n + 1] = BigInt(ids[i] as number)
  })
  return out
}

/**
 * What arrives is stored at once and indexed later: when something is to be found, and when much has come together. Both
 * may happen twice, and in two processes, without harm.
 */
export const createObservedIndexer = (store: ObservedStore) => {
  let waiting = 0
  const inTurn = createInTurn()

  /** @returns the id of the last row, null when there was none. */
  const round = async (partition: number): Promise<number | null> => {
    const hashes: bigint[] = []
    const ids: number[] = []
    let to: number | null = null
    for (let rows = 0; rows < ROUND; rows += READ) {
      const chunk = store.unindexed(partition, to ?? 0, READ)
      for (const row of chunk) {
        for (const hash of indexOf(row)) {
          hashes.push(hash)
          ids.push(row.id)
        }
        to = row.id
      }
      if (chunk.length < READ) break
      await turn()
    }
    if (to === null) return null
    const pairs = inOrder(hashes, ids)
    for (let at = 0; at < pairs.length; at += 2 * WRITE) await store.index(partition, pairs.slice(at, at + 2 * WRITE))
    await store.indexed(partition, to)
    return to
  }

  const flush = async (): Promise<void> => {
    waiting = 0
    for (const partition of store.partitions()) while ((await round(partition)) !== null);
  }

  /** One at a time. */
  const now = (): Promise<void> => inTurn(flush)

  return {
    /** Everything that has arrived is in the index. */
    now,
    arrived: (count: number): void => {
      waiting += count
      // A failure is met again by who wants to find something.
      if (waiting >= ROUND) void now().catch(() => undefined)
    },
    settled: (): Promise<void> => inTurn(() => Promise.resolve()),
  }
}
