import type { IntelStore } from '../../store/repositories/intel.ts'
import { probeOf } from '../url/watch-keys.ts'
import { shortHash, urlRef } from '../url/hash.ts'

const STEP = 500

/**
 * Brings the tables of a database from before hashes over: what was promised to be watched stays watched. Each step can be
 * done twice, so a crash in the middle loses and doubles nothing that counts.
 */
export const convertOlder = async (store: IntelStore): Promise<void> => {
  for (;;) {
    const opinions = store.older.opinions(STEP)
    if (opinions.length === 0) break
    await Promise.all(opinions.map((o) => store.opinions.put({ ...o, hash: shortHash(o.key), probe: probeOf(o.key) })))
    await store.older.taken('opinions', opinions.length)
  }
  for (;;) {
    const rows = store.older.submissions(STEP)
    if (rows.length === 0) return
    for (const { serial, emailId, url, at, retroAt } of rows) {
      const [observed] = await store.observed.append(serial, [{ emailId, url, ref: null, keys: null }], at)
      if (retroAt === null || observed === undefined) continue
      const cause = { source: '', indicator: '', reason: 'from before causes were kept', asOf: retroAt }
      await store.retro.record([{ device: observed.device, emailId, ref: urlRef(url), url, at: retroAt, cause }])
    }
    await store.older.taken('submissions', rows.length)
  }
}
