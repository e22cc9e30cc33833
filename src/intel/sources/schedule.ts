import type { IntelSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import { UserError } from '../../core/errors.ts'
import type { SourceLoader } from './loader.ts'

/** Keeps the configured sources loaded: each is looked at every `refreshSeconds` and read when its file has changed. */
export interface SourceSchedule {
  apply(sources: readonly IntelSource[], known: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export const createSourceSchedule = (clock: Clock, loader: SourceLoader): SourceSchedule => {
  const running = new Map<string, { readonly settings: string; readonly end: AbortController; done: Promise<void> }>()

  const keep = async (source: IntelSource, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await loader.load(source, signal, false)
      } catch (error) {
        // Told by the loader; a store that is busy or full gets another try.
        if (!(error instanceof UserError) && signal.aborted) return
      }
      await clock.sleep(source.refreshSeconds * 1000, signal).catch(() => undefined)
    }
  }

  const end = async (name: string): Promise<void> => {
    const entry = running.get(name)
    running.delete(name)
    entry?.end.abort(new Error('the source is no longer configured'))
    await entry?.done
  }

  return {
    apply: async (sources, known) => {
      const active = new Map(sources.filter((s) => s.enabled).map((s) => [s.name, s]))
      for (const [name, { settings }] of [...running]) {
        const next = active.get(name)
        if (!next || JSON.stringify(next) !== settings) await end(name)
      }
      // What a disabled or deleted source said no longer counts.
      for (const name of known) if (!active.has(name)) await loader.forget(name)
      for (const [name, source] of active) {
        if (running.has(name)) continue
        const controller = new AbortController()
        running.set(name, {
          settings: JSON.stringify(source),
          end: controller,
          done: keep(source, controller.signal),
        })
      }
    },
    stop: async () => {
      for (const name of [...running.keys()]) await end(name)
    },
  }
}
