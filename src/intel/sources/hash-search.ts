import type { Clock } from '../../core/clock.ts'
import { createLru } from '../../core/lru.ts'
import { createLanes } from '../lanes.ts'
import type { HashListProtocol } from './hash-list-protocols.ts'

/** Questions for whole hashes, kept as long as the provider says. */
export interface HashSearch {
  /** Asks for what is not known of these hashes' first four bytes. Rejects when a provider does not answer. */
  ask(hashes: readonly Buffer[]): Promise<void>
  /** What is known of everything that begins so; null = nothing is known, or no longer. */
  known(prefix: Buffer): readonly ListedHash[] | null
}

export interface ListedHash {
  readonly hash: string
  readonly threat: string
}

interface Answer {
  readonly listed: readonly ListedHash[]
}

const KEPT = 100_000
/** A provider that names no time is asked again after this. */
const LEAST_MS = 60_000
const MOST_MS = 86_400_000
/** After questions that failed, one after the other: so long none is asked. */
const PAUSE_MS = 60_000
/** Questions at the same time. */
const AT_ONCE = 8
const LONGEST_PAUSE_MS = 3_600_000

const headOf = (hash: Buffer): string => hash.toString('hex', 0, 4)

export const createHashSearch = (deps: {
  readonly protocol: HashListProtocol
  readonly clock: Clock
  readonly ask: (path: string, signal: AbortSignal) => Promise<string>
}): HashSearch => {
  const { protocol, clock } = deps
  const answers = createLru<Answer>(KEPT, clock)
  const asking = new Map<string, Promise<void>>()
  const never = new AbortController().signal
  const lanes = createLanes(1, AT_ONCE)
  let failures = 0
  let pausedUntil = 0

  const leftAlone = (): void => {
    if (clock.monotonic() < pausedUntil) throw new Error('the provider is left alone for a time')
  }

  const question = async (heads: readonly string[]): Promise<void> => {
    const prefixes = heads.map((head) => Buffer.from(head, 'hex'))
    const lane = await lanes.take(never)
    try {
      leftAlone()
      const text = await deps.ask(protocol.searchPath(prefixes), never)
      const answer = protocol.readSearch(text, clock.now().getTime())
      failures = 0
      for (const head of heads) {
        const listed = answer.threats.filter(({ hash }) => hash.length === 64 && hash.startsWith(head))
        const times = [answer.ttlMs, ...listed.map((t) => t.ttlMs)].filter((ms) => ms > 0)
        const ttl = Math.min(MOST_MS, Math.max(LEAST_MS, times.length === 0 ? 0 : Math.min(...times)))
        answers.set(head, { listed }, ttl)
      }
    } catch (error) {
      if (clock.monotonic() >= pausedUntil)
        pausedUntil = clock.monotonic() + Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** failures++)
      throw error
    } finally {
      lane.free()
      for (const head of heads) asking.delete(head)
    }
  }

  return {
    ask: async (hashes) => {
      const heads = [...new Set(hashes.map(headOf))].filter((head) => answers.get(head) === undefined)
      const running = new Set(heads.flatMap((head) => asking.get(head) ?? []))
      const fresh = heads.filter((head) => !asking.has(head))
      if (fresh.length > 0) leftAlone()
      for (let at = 0; at < fresh.length; at += protocol.batch) {
        const batch = fresh.slice(at, at + protocol.batch)
        const asked = question(batch)
        for (const head of batch) asking.set(head, asked)
        running.add(asked)
      }
      await Promise.all(running)
    },
    known: (prefix) => answers.get(headOf(prefix))?.listed ?? null,
  }
}
