import { messageFilters } from '../../src/config/sections/message-filters.ts'
import { system } from '../../src/config/sections/system.ts'
import type { ConfigReader, ConfigSection } from '../../src/config/section.ts'
import { localTime } from '../../src/core/localtime.ts'
import type { Resolver } from '../../src/core/resolver.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import type { SdrResult } from '../../src/intel/sdr/port.ts'
import type { UrlVerdict } from '../../src/intel/verdict.ts'
import { createAuthenticator } from '../../src/mail/auth/authenticate.ts'
import { createPipeline } from '../../src/mail/pipeline/run.ts'
import { runScanTask } from '../../src/mail/pipeline/scan-task.ts'
import type { ParsedMessage } from '../../src/mail/message/parsed.ts'
import type { Scanner } from '../../src/mail/pipeline/scanner.ts'
import { workQueue } from '../../src/mail/pipeline/work-queue.ts'
import { createQuarantine } from '../../src/mail/quarantine.ts'
import type { NewSpoolEntry } from '../../src/store/spool.ts'
import { testEnv } from './env.ts'
import { newEntry, openSpool, temporaryHome } from './spool.ts'

/** Scans on the calling thread. */
export const inlineScanner: Scanner = {
  scan: async (raw, urls) => (await runScanTask({ kind: 'scan', raw, urls })) as ParsedMessage,
  edit: async (raw, edits, maxUrls) =>
    Buffer.from((await runScanTask({ kind: 'edit', raw, edits, maxUrls })) as Uint8Array),
  count: async (pattern, texts, enough) => (await runScanTask({ kind: 'count', pattern, texts, enough })) as number,
}

export const noRecords: Resolver = {
  resolve: async (name) => {
    throw Object.assign(new Error(`no ${name}`), { code: 'ENOTFOUND' })
  },
  reverse: async () => [],
}

export interface PipelineOptions {
  readonly filters?: readonly { readonly name: string; readonly script: string; readonly active?: boolean }[]
  readonly sections?: ReadonlyMap<unknown, unknown>
  readonly sdr?: SdrResult
  /** Scores by URL; a URL that is not here is answered without a score. */
  readonly scores?: Readonly<Record<string, number>>
  readonly categories?: Readonly<Record<string, string>>
  /** URLs whose look-up fails. */
  readonly unreachable?: readonly string[]
  /** Where short links lead; the others lead nowhere. */
  readonly shortLinks?: Readonly<Record<string, string>>
  readonly resolver?: Resolver
  readonly scanner?: Scanner
}

/** The whole mail path over a real spool, with scripted intelligence. */
export const openPipeline = async (options: PipelineOptions = {}) => {
  const env = testEnv()
  const directory = temporaryHome()
  const store = await openSpool(env.clock, directory.home)
  const bus = createEventBus(env.clock)
  const events: ApplianceEvent[] = []
  bus.subscribe((_, e) => events.push(e))
  const sections = new Map<unknown, unknown>([
    [system, { hostname: 'mx.example.com', timezone: 'Etc/GMT' }],
    [messageFilters, (options.filters ?? []).map((f) => ({ active: true, ...f }))],
    ...(options.sections ?? []),
  ])
  const config: ConfigReader = { get: <T>(s: ConfigSection<T>) => (sections.get(s) ?? s.defaults) as T }
  const watched: string[] = []
  const verdict = (url: string): UrlVerdict => {
    const score = options.scores?.[url] ?? null
    return {
      url,
      score,
      level: score === null ? 'unknown' : score < -5 ? 'untrusted' : 'neutral',
      category: options.categories?.[url] ?? null,
      because: null,
    }
  }
  const scanner = options.scanner ?? inlineScanner
  const stages = workQueue({
    authenticator: createAuthenticator({ resolver: options.resolver ?? noRecords, clock: env.clock, events: bus }),
    sdr: { judge: async () => options.sdr ?? { kind: 'off' } },
    urlReputation: {
      lookup: async ({ urls, onFailed }) => {
        const failed = urls.filter((u) => options.unreachable?.includes(u))
        if (failed.length > 0) onFailed?.(failed)
        return new Map(urls.filter((u) => !failed.includes(u)).map((u) => [u, verdict(u)]))
      },
      diagnostics: () => ({
        dns: { minimum: null, average: 0, maximum: null },
        cacheSize: 0,
        cacheHits: 0,
        response: { minimum: null, average: 0, maximum: null },
      }),
      flush: () => undefined,
    },
    shortLinks: { expand: async (url) => options.shortLinks?.[url] ?? null },
    watch: { watch: async (urls) => void watched.push(...urls.map((u) => u.url)) },
    scanner,
    time: localTime({ at: () => null, list: () => [] }, () => 'Etc/GMT'),
  })
  const deps = { stages, spool: store.spool, ids: store.counters, config, env, events: bus, scanner }
  const pipeline = createPipeline(deps)
  const quarantine = createQuarantine({ spool: store.spool, events: bus, released: () => undefined })
  const signal = new AbortController().signal
  return {
    ...store,
    env,
    bus,
    events,
    sections,
    config,
    pipeline,
    quarantine,
    watched,
    types: () => events.map((e) => e.type),
    of: <K extends ApplianceEvent['type']>(type: K) =>
      events.filter((e): e is Extract<ApplianceEvent, { type: K }> => e.type === type),
    run: async (over: Partial<NewSpoolEntry> & { readonly body: Buffer }): Promise<number> => {
      const mid = store.counters.next('mid')
      await store.spool.accept(newEntry(mid, { size: over.body.length, ...over }))
      await pipeline.process(mid, signal)
      return mid
    },
    dispose: async () => {
      await store.close()
      directory.remove()
    },
  }
}
