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
  const checked = new Map<string, Date>()
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
    checked.set(source.name, clock.now())
    if (content.kind === 'same') return before.indicators
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
    told.delete(source.name)
    stale.delete(source.name)
    good.add(source.name)
    await loaded()
    return indicators
  }

  /** A feed that nobody could renew for days is told once more: what it says grows old. */
  const tellStale = (source: IntelSource): void => {
    const last = checked.get(source.name) ?? store.opinions.sourceState(source.name).loadedAt
    if (!isFeed(source.path) || last === null || stale.has(source.name)) return
    const days = Math.floor((clock.now().getTime() - last.getTime()) / DAY_MS)
    if (days < STALE_DAYS) return
    stale.add(source.name)
    events.publish({
      type: 'alert.raised',
      class: 'Intelligence',
      severity: 'Warning',
      text: `The intelligence source '${source.name}' could not be renewed for ${days} days. What it said still counts.`,
    })
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
        tellStale(source)
        // Told once; asked for again every few seconds it would fill the log.
        if (told.get(source.name) !== reason) {
          told.set(source.name, reason)
          events.publish({ type: 'intel.source-failed', source: source.name, error: reason })
          events.publish({
            type: 'alert.raised',
            class: 'Intelligence',
            severity: 'Warning',
            text: `The intelligence source '${source.name}' could not be loaded: ${reason}`,
          })
          await store.opinions.failed(source.name, reason)
        }
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
        checkedAt: isFeed(source.path) ? (checked.get(source.name) ?? null) : null,
        error: state.error,
        licence: licenceOf(source.path),
      }
    },
    forget: (name) => store.opinions.forget(name),
  }
}
