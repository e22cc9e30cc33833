import type { Env } from '../../core/env.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import type { IntelLookup } from '../lookup.ts'
import { createVerdictAdmin } from './admin.ts'
import type { VerdictAdmin } from './admin.ts'
import { toOpinion } from '../opinions.ts'
import type { DnsLists } from '../sources/dns-lists.ts'
import type { HashLists } from '../sources/hash-lists.ts'
import { canonicalUrl } from '../url/canonical.ts'
import type { HashMatch } from '../url/blind.ts'
import { expressionHash } from '../url/hash.ts'
import { convertOlder } from './convert.ts'
import { createDeviceDesk } from './devices.ts'
import type { DeviceDesk } from './devices.ts'
import { judgeSender } from './judge-sender.ts'
import { judgeUrl } from './judge-url.ts'
import { createRetroLedger } from './retro.ts'
import type { RetroLedger } from './retro.ts'

/** The intelligence service as a library: in process, behind HTTPS, or by the `lychgate intel` commands. */
export interface IntelService {
  readonly lookup: IntelLookup
  /** What is said of expressions whose hash begins with these 32 bits. */
  matches(prefixes: readonly number[], signal: AbortSignal): Promise<readonly HashMatch[]>
  readonly verdicts: VerdictAdmin
  readonly devices: DeviceDesk
  readonly retro: RetroLedger
  /** After many opinions changed, and after a start: caches forget, what is watched under them is judged again. */
  catchUp(): Promise<void>
  /** Once after a start, before anything else is asked: finishes what was under way, but for `catchUp`. */
  resume(): Promise<void>
  /** Called whenever a verdict may have changed. Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void
  prune(): Promise<void>
}

/** An expression has one opinion of a source, and a prefix fits few expressions. */
const MAX_MATCHES = 20_000

export const createIntelService = (deps: {
  readonly store: IntelStore
  readonly env: Env
  /** DNS lists of domains, where there are any to ask. */
  readonly lists?: Pick<DnsLists, 'ask' | 'inUse'>
  /** Providers' lists of hashes, where there are any. */
  readonly hashes?: Pick<HashLists, 'confirm' | 'matches' | 'inUse'>
  readonly tokenMs?: number
  /** That a device may have watched at a time. */
  readonly watchedUrls?: number
}): IntelService => {
  const { store, env, lists, hashes } = deps
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  const retro = createRetroLedger(store, env.clock, deps.watchedUrls)
  return {
    lookup: {
      name: 'embedded',
      urls: async (urls, signal) => {
        signal.throwIfAborted()
        const confirmed = hashes?.inUse() ? hashes.confirm(urls) : undefined
        const asked = lists?.inUse() ? await lists.ask(urls.flatMap((url) => canonicalUrl(url)?.host ?? [])) : undefined
        await confirmed
        return new Map(urls.map((url) => [url, judgeUrl(store.opinions, url, asked)]))
      },
      sender: async (query, signal) => {
        signal.throwIfAborted()
        return judgeSender(store.opinions, query, env.clock.now())
      },
    },
    matches: async (prefixes, signal) => {
      signal.throwIfAborted()
      const stored = store.opinions.ofPrefixes(prefixes, MAX_MATCHES).map((o): HashMatch => {
        const { indicator, ...opinion } = toOpinion(o)
        return { hash: expressionHash(indicator).toString('hex'), opinion }
      })
      const listed = hashes?.inUse() ? await hashes.matches(prefixes) : []
      const known = new Set(stored.map((m) => `${m.hash} ${m.opinion.source}`))
      return [...stored, ...listed.filter((m) => !known.has(`${m.hash} ${m.opinion.source}`))].slice(0, MAX_MATCHES)
    },
    verdicts: createVerdictAdmin({ store, clock: env.clock, retro, changed, lists, hashes }),
    devices: createDeviceDesk(store.devices, env, deps.tokenMs),
    retro,
    catchUp: async () => {
      changed()
      await retro.catchUp()
    },
    resume: async () => {
      await convertOlder(store)
      await store.opinions.resume()
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    prune: () => retro.prune(),
  }
}
