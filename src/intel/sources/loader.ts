import type { IntelSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import { errorText, Fault, UserError } from '../../core/errors.ts'
import type { EventBus } from '../../events/bus.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import type { IntelSourceStatus } from '../lookup.ts'
import { licenceOf } from './known.ts'
import { isFeed, readFeed, readFile } from './origin.ts'
import { MAX_INDICATORS, parseSource } from './parse.ts'
import type { ParsedSource } from './parse.ts'
import { FeedFault } from './port.ts'
import type { FeedFetch, SourceFiles } from './port.ts'

const STALE_DAYS = 3
/** What a feed said counts no longer than this without being renewed. */
const EXPIRE_DAYS = 7
/** In place of a set's fingerprint: whatever the feed gives next is read. */
const EXPIRED = 'expired'
const DAY_MS = 86_400_000
const CHUNK = 2000
/** A file may have this share of lines that cannot be used; with more it is not what it should be. */
const BAD_SHARE = 0.01
/** A set this much smaller than the last good one is taken for an accident. */
const SHRINK_TO = 0.1

/** Before the names of sources that `lychgate intel load` read: no configuration names them. */
export const LOADED = 'loaded:'

export interface SourceLoader {
  /** Reads the file now. @returns its indicators. @throws UserError with the reason; the last good set is kept. */
  load(source: IntelSource, signal: AbortSignal, force: boolean): Promise<number>
  status(source: IntelSource): IntelSourceStatus
  forget(name: string): Promise<void>
}

export const createSourceLoader = (deps: {
  readonly store: IntelStore
  readonly files: SourceFiles
  readonly feeds: FeedFetch
  readonly clock: Clock
  readonly events: EventBus
  /** Absolute path of a source's path. */
  readonly locate: (path: string) => string
  /** After a set has been replaced: caches forget, watched URLs are looked at. */
  readonly loaded: () => Promise<void>
}): SourceLoader => {
  const { store, files, feeds, clock, events, locate, loaded } = deps
  const told = new Map<string, string>()
  const stale = new Set<string>()
  /** What a provider asked for with Retry-After. */
  const notBefore = new Map<string, number>()
  const good = new Set<string>()

  /** Used in texts for people: a feed's path still has `{key}` where its key goes. */
  const placeOf = (source: IntelSource): string => (isFeed(source.path) ? source.path : locate(source.path))

  const readRows = async (source: IntelSource, text: string): Promise<ParsedSource> => {
    const place = placeOf(source)
    let parsed: ParsedSource
    try {
      parsed = await parseSource(text, source)
    } catch (error) {
      throw new UserError(`${place}: ${errorText(error)}; the last good set is kept.`)
    }
    const { rows, badLines, errors } = parsed
    if (rows.length > MAX_INDICATORS || badLines > (rows.length + badLines) * BAD_SHARE)
      throw new UserError(
        `${place}: ${badLines} of ${rows.length + badLines} lines cannot be used; the last good set is kept. ${errors.join(' ')}`,
      )
    return parsed
  }

  const renewed = async ({ name, path }: IntelSource): Promise<void> => {
    stale.delete(name)
    if (isFeed(path)) await store.opinions.checked(name, clock.now())
  }

  const replace = async (source: IntelSource, signal: AbortSignal, force: boolean): Promise<number> => {
    const path = placeOf(source)
    const settings = JSON.stringify([path, source.format, source.level, source.category])
    const before = store.opinions.sourceState(source.name)
    if (!force && clock.now().getTime() < (notBefore.get(source.name) ?? 0)) return before.indicators
    const sameSettings = before.fingerprint?.startsWith(`${settings} `) ?? false
    const believed = !force && sameSettings && (before.error === null || good.has(source.name))
    const known = believed ? (before.fingerprint ?? '').slice(settings.length + 1) : null
    const content = isFeed(path)
      ? await readFeed(feeds, source, known, signal)
      : await readFile(files, path, known, signal)
    notBefore.delete(source.name)
    if (content.kind === 'same') {
      await renewed(source)
      return before.indicators
    }
    const { rows, errors, badLines, guarded, guardedRows } = await readRows(source, content.text)
    if (sameSettings && before.indicators > 0 && rows.length <= before.indicators * SHRINK_TO)
      throw new UserError(
        `${path} has ${rows.length} indicators and had ${before.indicators}: taken for an accident, the last good set is kept. ` +
          'To accept it, delete the source and add it again.',
      )
    const replacement = await store.opinions.replace(source.name, clock.now())
    try {
      for (let at = 0; at < rows.length; at += CHUNK) {
        signal.throwIfAborted()
        await replacement.add(rows.slice(at, at + CHUNK))
      }
    } catch (error) {
      await replacement.abandon()
      throw error
    }
    const notes = [
      ...(badLines === 0 ? [] : [`${badLines} lines were left out: ${errors.join(' ')}`]),
      ...(guardedRows === 0 ? [] : [`${guardedRows} were left out that condemn a top domain: ${guarded.join(', ')}`]),
    ]
    const indicators = await replacement.finish(
      `${settings} ${content.fingerprint}`,
      notes.length === 0 ? null : notes.join(' '),
    )
    events.publish({ type: 'intel.source-loaded', source: source.name, indicators })
    await renewed(source)
    told.delete(source.name)
    good.add(source.name)
    await loaded()
    return indicators
  }

  const warn = (text: string): void =>
    events.publish({ type: 'alert.raised', class: 'Intelligence', severity: 'Warning', text })

  /** A feed that nobody could renew for days is told once more, and in the end what it said is taken away. */
  const age = async ({ name, path }: IntelSource, reason: string): Promise<void> => {
    const { checkedAt, indicators } = store.opinions.sourceState(name)
    if (!isFeed(path) || indicators === 0) return
    // Loaded before times were noted: it counts from now.
    if (checkedAt === null) return await store.opinions.checked(name, clock.now())
    const days = Math.floor((clock.now().getTime() - checkedAt.getTime()) / DAY_MS)
    const what = `The intelligence source '${name}' could not be renewed for ${days} days.`
    if (days >= EXPIRE_DAYS) {
      const nothing = await store.opinions.replace(name, clock.now())
      await nothing.finish(EXPIRED, `What it said no longer counts, after ${days} days: ${reason}`)
      warn(`${what} What it said (${indicators} indicators) no longer counts.`)
      await loaded()
    } else if (days >= STALE_DAYS && !stale.has(name)) {
      stale.add(name)
      warn(`${what} What it said counts until it is ${EXPIRE_DAYS} days.`)
    }
  }

  return {
    load: async (source, signal, force) => {
      try {
        return await replace(source, signal, force)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof Fault) throw error
        const reason = errorText(error)
        good.delete(source.name)
        if (error instanceof FeedFault && error.retryAfterMs > 0)
          notBefore.set(source.name, clock.now().getTime() + error.retryAfterMs)
        // Told once; asked for again every few seconds it would fill the log.
        if (told.get(source.name) !== reason) {
          told.set(source.name, reason)
          events.publish({ type: 'intel.source-failed', source: source.name, error: reason })
          warn(`The intelligence source '${source.name}' could not be loaded: ${reason}`)
          await store.opinions.failed(source.name, reason)
        }
        await age(source, reason)
        throw error instanceof UserError ? error : new UserError(reason, { cause: error })
      }
    },
    status: (source) => {
      const state = store.opinions.sourceState(source.name)
      return {
        name: source.name,
        enabled: source.enabled,
        indicators: state.indicators,
        loadedAt: state.loadedAt,
        checkedAt: isFeed(source.path) ? state.checkedAt : null,
        error: state.error,
        licence: licenceOf(source.path),
      }
    },
    forget: (name) => store.opinions.forget(name),
  }
}
