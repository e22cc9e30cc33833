import type { IntelSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import { errorText, Fault, UserError } from '../../core/errors.ts'
import type { EventBus } from '../../events/bus.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import type { IntelSourceStatus } from '../lookup.ts'
import { MAX_INDICATORS, parseSource } from './parse.ts'
import type { SourceFiles } from './port.ts'

const MAX_BYTES = 64 * 1024 * 1024
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
  readonly clock: Clock
  readonly events: EventBus
  /** Absolute path of a source's path. */
  readonly locate: (path: string) => string
  /** After a set has been replaced: caches forget, watched URLs are looked at. */
  readonly loaded: () => Promise<void>
}): SourceLoader => {
  const { store, files, clock, events, locate, loaded } = deps
  const told = new Map<string, string>()
  const good = new Set<string>()

  const readRows = async (source: IntelSource, path: string, bytes: number, signal: AbortSignal) => {
    if (bytes > MAX_BYTES) throw new UserError(`${path} is larger than ${MAX_BYTES} bytes.`)
    const parsed = parseSource(await files.read(path, MAX_BYTES, signal), source)
    const { rows, badLines, errors } = parsed
    if (rows.length > MAX_INDICATORS || badLines > (rows.length + badLines) * BAD_SHARE)
      throw new UserError(
        `${path}: ${badLines} of ${rows.length + badLines} lines cannot be used; the last good set is kept. ${errors.join(' ')}`,
      )
    return parsed
  }

  const replace = async (source: IntelSource, signal: AbortSignal, force: boolean): Promise<number> => {
    const path = locate(source.path)
    const { fingerprint, bytes } = await files.identity(path)
    const settings = JSON.stringify([path, source.format, source.level, source.category])
    const wanted = `${settings} ${fingerprint}`
    const before = store.opinions.sourceState(source.name)
    if (!force && before.fingerprint === wanted && (before.error === null || good.has(source.name)))
      return before.indicators
    const { rows, errors, badLines } = await readRows(source, path, bytes, signal)
    const sameSettings = before.fingerprint?.startsWith(`${settings} `) ?? false
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
    const note = badLines === 0 ? null : `${badLines} lines were left out: ${errors.join(' ')}`
    const indicators = await replacement.finish(wanted, note)
    events.publish({ type: 'intel.source-loaded', source: source.name, indicators })
    told.delete(source.name)
    good.add(source.name)
    await loaded()
    return indicators
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
        error: state.error,
      }
    },
    forget: (name) => store.opinions.forget(name),
  }
}
