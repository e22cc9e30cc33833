import type { IntelStore } from '../../store/repositories/intel.ts'
import { probeOf } from '../url/watch-keys.ts'
import { shortHash, urlRef } from '../url/hash.ts'

const STEP = 500

/**
 * Brings the tables of a database from before hashes over: what was promised to be watched stays watched. One transaction
 * a step; a crash in the middle, or another process that does the same, loses and doubles nothing.
 */
export const convertOlder = async ({ older }: Pick<IntelStore, 'older'>): Promise<void> => {
  for (;;) {
    const opinions = older.opinions(STEP)
    if (opinions.length === 0) break
    await older.moveOpinions(opinions.map((o) => ({ ...o, hash: shortHash(o.key), probe: probeOf(o.key) })))
  }
  for (;;) {
    const rows = older.submissions(STEP)
    if (rows.length === 0) return
    await older.moveSubmissions(rows.map((r) => ({ ...r, ref: urlRef(r.url) })))
  }
}
