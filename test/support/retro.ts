import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWatchStore } from '../../src/adapters/sqlite/watch.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { urlRetrospection } from '../../src/config/sections/url-retrospection.ts'
import type { ConfigReader, ConfigSection } from '../../src/config/section.ts'
import type { Env } from '../../src/core/env.ts'
import { createEventBus } from '../../src/events/bus.ts'
import type { ApplianceEvent } from '../../src/events/event.ts'
import type { Alert } from '../../src/logs/alerts.ts'
import type { ApiAnswer, RetroApi, RetroQuery, Submission } from '../../src/retro/ports.ts'
import { createRetro } from '../../src/retro/service.ts'
import type { RetroRuntime } from '../../src/retro/service.ts'
import type { WatchStore } from '../../src/store/repositories/watch.ts'
import { testEnv } from './env.ts'
import type { FakeClock } from './fake-clock.ts'

export const SERIAL = '420D4F36AAEBC0093B4F-B9E72189A021'
const REGION = 'https://retro.intel.example'
export const REGISTER_URL = `https://register.intel.example/v1/register/device/${SERIAL}`
export const QUERY_URL = `${REGION}/v1/retro/device/${SERIAL}`

export interface FakeRetro {
  readonly emailId: string
  readonly url: string
  readonly at: string
  readonly entry?: number
}

export const retroJson = (r: FakeRetro): Record<string, unknown> => ({
  observable: { observable_type: 'url', value: r.url },
  context_tags: [{ taxonomy_id: 4, taxonomy_entry_id: r.entry ?? 3, tag_type_id: 1 }],
  email_id: r.emailId,
  timestamp: r.at,
  org_id: 'lychgate',
  verdict: { taxonomy_id: 4, taxonomy_entry_id: r.entry ?? 3, tag_type_id: 1 },
  taxonomy_map_version: 1,
})

type Reply = ApiAnswer | Error | ((signal: AbortSignal) => Promise<ApiAnswer>)

/** A retrospective service in memory: pages by `since` as the real one does; `next` answers stand before that. */
export class FakeRetroApi implements RetroApi {
  readonly serial = SERIAL
  readonly queries: RetroQuery[] = []
  readonly submissions: Submission[] = []
  readonly tokens: string[] = []
  retros: FakeRetro[] = []
  next: { query: Reply[]; register: Reply[]; submit: Reply[] } = { query: [], register: [], submit: [] }

  registerUrl = (): string => REGISTER_URL
  queryUrl = (regionUri: string): string => `${regionUri}/v1/retro/device/${SERIAL}`
  registerPayload = () => ({ org_id: 'lychgate', model: 'Lychgate', version: '0.1.0', type: 'gateway' })

  async #reply(queue: Reply[], signal: AbortSignal): Promise<ApiAnswer | null> {
    const reply = queue.shift()
    if (reply === undefined) return null
    if (reply instanceof Error) throw reply
    return typeof reply === 'function' ? await reply(signal) : reply
  }

  async register(signal: AbortSignal): Promise<ApiAnswer> {
    const body = { token: `token-${this.tokens.length + 1}`, region_uri: REGION }
    const queued = await this.#reply(this.next.register, signal)
    if (queued) return queued
    this.tokens.push(body.token)
    return { url: REGISTER_URL, status: 201, body, text: JSON.stringify(body) }
  }

  async query(_: unknown, query: RetroQuery, signal: AbortSignal): Promise<ApiAnswer> {
    this.queries.push(query)
    const url = `${QUERY_URL}?since=${encodeURIComponent(query.since)}&page_size=${query.pageSize}`
    const queued = await this.#reply(this.next.query, signal)
    if (queued) return { ...queued, url }
    const hits = this.retros.filter((r) => r.at >= query.since).sort((a, b) => a.at.localeCompare(b.at))
    const beyond = hits.findIndex((r) => r.at > query.since)
    const full = hits[Math.max(query.pageSize, beyond < 0 ? hits.length : beyond + 1) - 1]
    const page = full ? hits.filter((r) => r.at <= full.at) : hits
    const body = hits.length === 0 ? {} : { retros: page.map(retroJson), more: page.length < hits.length }
    return { url, status: 200, body, text: JSON.stringify(body) }
  }

  causes: Record<string, string>[] = []
  async cause(): Promise<ApiAnswer> {
    return { url: QUERY_URL, status: 200, body: { causes: this.causes }, text: '' }
  }

  async submit(_: unknown, items: readonly Submission[], signal: AbortSignal): Promise<ApiAnswer> {
    const queued = await this.#reply(this.next.submit, signal)
    if (queued) return queued
    this.submissions.push(...items)
    const body = { accepted: items.length }
    return { url: QUERY_URL, status: 202, body, text: JSON.stringify(body) }
  }
}

export const answer = (status: number, body: unknown, retryAfterMs?: number): ApiAnswer => ({
  url: QUERY_URL,
  status,
  body,
  text: JSON.stringify(body),
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})

/** Sections with values of their own over the defaults. */
export class TestConfig implements ConfigReader {
  readonly #values = new Map<string, unknown>()
  get<T>(section: ConfigSection<T>): T {
    return (this.#values.get(section.name) ?? section.defaults) as T
  }
  set<T>(section: ConfigSection<T>, value: Partial<T>): void {
    this.#values.set(section.name, Array.isArray(value) ? value : { ...this.get(section), ...value })
  }
}

export interface Handed {
  readonly key: string
  readonly url: string
  readonly rootMids: readonly number[]
}

/** The whole room over one database; `restart` builds it anew over the same file, as after a crash. */
export interface RetroRig {
  readonly env: Env & { readonly clock: FakeClock }
  readonly api: FakeRetroApi
  readonly config: TestConfig
  readonly events: ApplianceEvent[]
  readonly alerts: Omit<Alert, 'at'>[]
  readonly handed: Handed[]
  readonly turned: (readonly [url: string, withdrawn: boolean])[]
  readonly sink: { failWith: Error | null }
  retro: RetroRuntime
  store: WatchStore
  types(): readonly string[]
  restart(): Promise<void>
  end(): Promise<void>
}

export const retroRig = async (start?: string): Promise<RetroRig> => {
  const folder = mkdtempSync(join(tmpdir(), 'retro-'))
  const env = testEnv(start)
  const config = new TestConfig()
  config.set(urlRetrospection, { enabled: true })
  const api = new FakeRetroApi()
  const events: ApplianceEvent[] = []
  const alerts: Omit<Alert, 'at'>[] = []
  const handed: Handed[] = []
  const turned: (readonly [string, boolean])[] = []
  const sink: { failWith: Error | null } = { failWith: null }
  let writer = inlineWriter()
  const build = async (): Promise<{ store: WatchStore; retro: RetroRuntime }> => {
    const bus = createEventBus(env.clock)
    bus.subscribe((_, event) => events.push(event))
    const store = await createWatchStore(writer, join(folder, 'retro.db'))
    const retro = createRetro({
      env,
      config,
      events: bus,
      alerts: { raise: (a) => void alerts.push(a), recent: () => [] },
      store,
      api,
      remediation: {
        enqueue: async (verdict) => {
          if (sink.failWith) throw sink.failWith
          if (handed.some((h) => h.key === verdict.key)) return 0
          handed.push(verdict)
          return verdict.rootMids.length
        },
        turn: async (url, withdrawn) => void turned.push([url, withdrawn]),
        pending: () => 0,
        drain: async () => undefined,
        wake: () => undefined,
      },
    })
    return { store, retro }
  }
  const rig: RetroRig = {
    ...(await build()),
    env,
    api,
    config,
    events,
    alerts,
    handed,
    turned,
    sink,
    types: () => events.map((e) => e.type),
    restart: async () => {
      await writer.close()
      writer = inlineWriter()
      Object.assign(rig, await build())
    },
    end: async () => {
      await rig.retro.stop(0)
      await writer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return rig
}
