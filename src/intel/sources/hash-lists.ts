import { isHashList } from '../../config/sections/intelligence.ts'
import type { HashListSource, IntelSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import { settledWithin } from '../../core/deadline.ts'
import { errorText, UserError } from '../../core/errors.ts'
import type { EventBus } from '../../events/bus.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import type { IntelSourceStatus } from '../lookup.ts'
import type { HashMatch } from '../url/blind.ts'
import { changedList, EMPTY_LIST, holds } from './hash-list.ts'
import type { HashList } from './hash-list.ts'
import { createHashSearch } from './hash-search.ts'
import type { HashSearch } from './hash-search.ts'
import { packLists, unpackLists } from './hash-list-file.ts'
import { HASH_LIST_PROTOCOLS } from './hash-list-protocols.ts'
import { createHashOpinions } from './hash-opinions.ts'
import { candidatesOf, watchedUnder } from './hash-watch.ts'
import { licenceOf } from './known.ts'
import { FeedFault } from './port.ts'
import type { FeedFetch, HashListFiles } from './port.ts'

/** A message waits this long for all providers together; what comes later is there for the next one. */
const WAIT_MS = 750
const MAX_ANSWER = 64 * 1024 * 1024
/** What is listed counts so long without being confirmed. */
const EXPIRE_MS = 7 * 86_400_000
/** Updates that one check takes in a row, when the provider has more at once. */
const ROUNDS = 20

/** Providers' lists of hash prefixes: kept here, so that only what may be listed is asked about, and never in clear. */
export interface HashLists {
  /** Whether anything can be said. */
  inUse(): boolean
  /** Makes opinions of what the providers list of these URLs. Never rejects, and ends within `WAIT_MS`. */
  confirm(urls: readonly string[]): Promise<void>
  /** The same for expressions of which only 32 bits are known: whole hashes that are listed. */
  matches(prefixes: readonly number[]): Promise<readonly HashMatch[]>
  /** Brings the lists up to date. @returns how many prefixes there are. @throws UserError */
  check(source: IntelSource, signal: AbortSignal): Promise<number>
  drop(name: string): Promise<void>
  names(): readonly string[]
  status(source: IntelSource): IntelSourceStatus
}

interface Kept {
  readonly list: HashList
  readonly version: string
}

interface Provider {
  readonly source: HashListSource
  readonly settings: string
  readonly search: HashSearch
  readonly lists: Map<string, Kept>
  /** The lists that everything watched has been compared with. */
  compared: ReadonlyMap<string, Kept>
  notBefore: number
  loadedAt: Date | null
  checkedAt: Date | null
  error: string | null
}

export const createHashLists = (deps: {
  readonly store: IntelStore
  readonly feeds: FeedFetch
  readonly files: HashListFiles
  readonly clock: Clock
  readonly events: EventBus
  /** After opinions have changed. */
  readonly changed: () => Promise<void>
}): HashLists => {
  const { store, feeds, files, clock, events } = deps
  const providers = new Map<string, Provider>()
  const opinions = createHashOpinions(deps)
  const now = (): number => clock.now().getTime()

  const ask = async (source: HashListSource, path: string, signal: AbortSignal): Promise<string> => {
    const request = { key: source.key, keyHeader: 'x-goog-api-key', body: null, etag: null, modified: null }
    const answer = await feeds.get({ ...request, url: `${source.path}${path}`, maxBytes: MAX_ANSWER }, signal)
    if (answer.kind !== 'content') throw new FeedFault('an answer has no content')
    return answer.text
  }

  const begin = async (source: HashListSource): Promise<Provider> => {
    const settings = JSON.stringify([source.format, source.path, source.level, source.category])
    const old = providers.get(source.name)
    if (old?.settings === settings && old.source.key === source.key) return old
    const file = await files.read(source.name)
    const lists = file === null ? null : unpackLists(file, settings)
    // What other settings said does not count; with the same ones it is looked at again by `renew`.
    if (lists === null) await opinions.begin(source.name)
    const provider: Provider = {
      source,
      settings,
      search: createHashSearch({
        protocol: HASH_LIST_PROTOCOLS[source.format],
        clock,
        ask: (path, signal) => ask(source, path, signal),
      }),
      lists: lists ?? new Map<string, Kept>(),
      compared: new Map<string, Kept>(),
      notBefore: 0,
      loadedAt: null,
      checkedAt: null,
      error: null,
    }
    providers.set(source.name, provider)
    return provider
  }

  /** @returns whether there is more at once. */
  const step = async (provider: Provider, name: string, signal: AbortSignal): Promise<boolean> => {
    const { source, lists } = provider
    const protocol = HASH_LIST_PROTOCOLS[source.format]
    const before = lists.get(name) ?? { list: EMPTY_LIST, version: '' }
    const update = protocol.readUpdate(await ask(source, protocol.updatePath(name, before.version), signal), now())
    try {
      lists.set(name, { list: changedList(before.list, update.change), version: update.version })
    } catch (error) {
      // Only the whole list helps; the next check asks for it.
      lists.delete(name)
      throw error
    }
    provider.notBefore = Math.max(provider.notBefore, now() + update.waitMs)
    return update.waitMs === 0 && update.version !== before.version
  }

  const update = async (provider: Provider, signal: AbortSignal): Promise<void> => {
    for (const name of HASH_LIST_PROTOCOLS[provider.source.format].lists)
      for (let round = 0; round < ROUNDS && (await step(provider, name, signal)); round++);
    await files.write(provider.source.name, packLists(provider.lists, provider.settings))
    provider.loadedAt = clock.now()
  }

  const anyHolds = (lists: ReadonlyMap<string, Kept>, hash: Buffer): boolean => {
    for (const { list } of lists.values()) if (holds(list, hash)) return true
    return false
  }
  const listed = (provider: Provider, hash: Buffer): boolean => anyHolds(provider.lists, hash)

  /** What has come into the lists may be watched already. A comparison that fails is made again at the next check. */
  const compare = async (provider: Provider, signal: AbortSignal): Promise<void> => {
    const { source, search, lists, compared } = provider
    const now = new Map(lists)
    if ([...now].every(([name, { list }]) => compared.get(name)?.list === list)) return
    await watchedUnder(
      store.observed,
      (hash) => anyHolds(now, hash) && !anyHolds(compared, hash),
      async (candidates) => {
        await search.ask(candidates.map(({ hash }) => hash))
        await opinions.note(source, search, candidates)
      },
      signal,
    )
    provider.compared = now
  }

  const size = (provider: Provider): number =>
    [...provider.lists.values()].reduce((sum, { list }) => sum + list.heads.length, 0)

  const alert = (severity: 'Warning' | 'Information', text: string): void =>
    events.publish({ type: 'alert.raised', class: 'Intelligence', severity, text })

  /** What nobody could confirm for days no longer counts. */
  const age = async (name: string): Promise<void> => {
    const { checkedAt } = store.opinions.sourceState(name)
    if (checkedAt === null || now() - checkedAt.getTime() < EXPIRE_MS) return
    if (store.opinions.ofSource(name, 1).length === 0) return
    await opinions.begin(name)
    await deps.changed()
    alert('Warning', `The intelligence source '${name}' could not be asked for 7 days. What it said no longer counts.`)
  }

  const failed = async (provider: Provider, error: unknown): Promise<UserError> => {
    const reason = errorText(error)
    const { name } = provider.source
    await age(name)
    if (error instanceof FeedFault) provider.notBefore = Math.max(provider.notBefore, now() + error.retryAfterMs)
    if (provider.error !== reason) {
      provider.error = reason
      events.publish({ type: 'intel.source-failed', source: name, error: reason })
      alert('Warning', `The intelligence source '${name}' could not be brought up to date: ${reason}`)
    }
    return new UserError(`${reason}; what was known of '${name}' is kept.`, { cause: error })
  }

  return {
    inUse: () => [...providers.values()].some((p) => size(p) > 0),
    confirm: async (urls) => {
      const keys = urls.flatMap(candidatesOf)
      await settledWithin(
        clock,
        WAIT_MS,
        [...providers.values()].map(async (provider) => {
          const candidates = keys.filter(({ hash }) => listed(provider, hash))
          if (candidates.length === 0) return
          await provider.search.ask(candidates.map(({ hash }) => hash))
          await opinions.note(provider.source, provider.search, candidates)
        }),
      )
    },
    matches: async (prefixes) => {
      const found: HashMatch[] = []
      await settledWithin(
        clock,
        WAIT_MS,
        [...providers.values()].map(async (provider) => {
          const heads = new Set(prefixes.map((p) => p >>> 0))
          const wanted = [...heads].map((head) => {
            const prefix = Buffer.alloc(4)
            prefix.writeUInt32BE(head)
            return prefix
          })
          const candidates = wanted.filter((prefix) => listed(provider, Buffer.concat([prefix], 32)))
          await provider.search.ask(candidates)
          found.push(...opinions.matches(provider.source, provider.search, candidates))
        }),
      )
      return found
    },
    check: async (source, signal) => {
      if (!isHashList(source)) throw new UserError(`'${source.name}' is no list of hashes.`)
      const provider = await begin(source)
      if (now() < provider.notBefore) return size(provider)
      try {
        await update(provider, signal)
        await compare(provider, signal)
        await opinions.renew(source, provider.search, (hash) => listed(provider, hash))
      } catch (error) {
        signal.throwIfAborted()
        throw await failed(provider, error)
      }
      if (provider.error !== null)
        alert('Information', `The intelligence source '${source.name}' answers, and is up to date again.`)
      provider.error = null
      provider.checkedAt = clock.now()
      await store.opinions.checked(source.name, provider.checkedAt)
      return size(provider)
    },
    drop: async (name) => {
      const known = providers.delete(name)
      const kept = await files.remove(name)
      if (known || kept) await store.opinions.forget(name)
    },
    names: () => [...providers.keys()],
    status: (source) => {
      // Without one, another process may have it.
      const provider = providers.get(source.name)
      const { loadedAt, checkedAt, error } = provider ?? store.opinions.sourceState(source.name)
      return {
        name: source.name,
        enabled: source.enabled,
        indicators: provider === undefined ? 0 : size(provider),
        loadedAt,
        checkedAt,
        error,
        licence: licenceOf(source.path),
      }
    },
  }
}
