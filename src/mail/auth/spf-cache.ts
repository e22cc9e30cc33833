import type { Clock } from '../../core/clock.ts'
import type { SpfResult } from '../../events/authentication.ts'

export interface SpfVerdict {
  readonly result: SpfResult
  readonly recordFound: boolean
  readonly info: string
  /** Domain that was checked. */
  readonly domain: string
}

export interface SpfCacheStatus {
  readonly hits: number
  readonly misses: number
  readonly expires: number
  readonly adds: number
  readonly secondsSaved: number
  readonly totalSeconds: number
}

const MAX_ENTRIES = 10_000
const LIFETIME_MS = 300_000

interface Entry {
  readonly verdict: SpfVerdict
  readonly seconds: number
  readonly until: number
}

/** SPF verdicts by address, identity and HELO (macros may look at all three). Temporary errors are not kept. */
export const createSpfCache = (clock: Clock) => {
  const entries = new Map<string, Entry>()
  const status = { hits: 0, misses: 0, expires: 0, adds: 0, secondsSaved: 0, totalSeconds: 0 }
  return {
    status: (): SpfCacheStatus => ({ ...status }),
    get: (key: string): SpfVerdict | null => {
      const hit = entries.get(key)
      if (hit && hit.until > clock.monotonic()) {
        status.hits++
        status.secondsSaved += hit.seconds
        return hit.verdict
      }
      if (hit) {
        entries.delete(key)
        status.expires++
      }
      status.misses++
      return null
    },
    add: (key: string, verdict: SpfVerdict, seconds: number): void => {
      status.totalSeconds += seconds
      if (verdict.result === 'TempError') return
      const oldest = entries.size >= MAX_ENTRIES ? entries.keys().next() : null
      if (oldest && !oldest.done) entries.delete(oldest.value)
      entries.set(key, { verdict, seconds, until: clock.monotonic() + LIFETIME_MS })
      status.adds++
    },
  }
}
