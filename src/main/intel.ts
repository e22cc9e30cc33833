import { isAbsolute, join } from 'node:path'
import { diskHashListFiles } from '../adapters/files/hash-list-files.ts'
import { diskSourceFiles } from '../adapters/files/source-files.ts'
import { createHttpExchange } from '../adapters/http/exchange.ts'
import { createFeedFetch } from '../adapters/http/feed-fetch.ts'
import { createRemoteLookup, createRetroApi } from '../adapters/http/intel-client.ts'
import type { IntelClientSettings } from '../adapters/http/intel-client.ts'
import type { SqliteWriter } from '../adapters/sqlite/database.ts'
import { createIntelStore } from '../adapters/sqlite/intel.ts'
import { intelligence } from '../config/sections/intelligence.ts'
import type { ConfigConsumer, ConfigReader } from '../config/section.ts'
import { withDeadline } from '../core/deadline.ts'
import type { Env } from '../core/env.ts'
import { errorText, Fault, UserError } from '../core/errors.ts'
import type { Resolver } from '../core/resolver.ts'
import type { EventBus } from '../events/bus.ts'
import { createAddressScores } from '../intel/address-score.ts'
import type { AddressScore } from '../intel/address-score.ts'
import { OPERATOR } from '../intel/combine.ts'
import type { IntelAdmin, IntelLookup, UrlReputation } from '../intel/lookup.ts'
import { explainRemotely } from '../intel/remote-explain.ts'
import { createSenderReputation } from '../intel/sdr/engine.ts'
import type { SenderReputation } from '../intel/sdr/port.ts'
import { createIntelService } from '../intel/service/service.ts'
import { createDnsLists } from '../intel/sources/dns-lists.ts'
import { createHashLists } from '../intel/sources/hash-lists.ts'
import type { HashLists } from '../intel/sources/hash-lists.ts'
import { withLists } from '../intel/sources/kinds.ts'
import { createSourceLoader, LOADED } from '../intel/sources/loader.ts'
import { createSourceSchedule } from '../intel/sources/schedule.ts'
import { createUrlReputation } from '../intel/url/reputation.ts'
import type { RetroApi } from '../retro/ports.ts'
import { caText } from './ca-text.ts'
import { trackerKey } from './intel-files.ts'
import { startEmbeddedIntel } from './intel-embedded.ts'
import type { EmbeddedIntel } from './intel-embedded.ts'

type Settings = typeof intelligence.defaults

/** Everything about intelligence that the appliance has. */
export interface Intel {
  readonly urlReputation: UrlReputation
  readonly senderReputation: SenderReputation
  /** Reputation of a client's address, for the Host Access Table. */
  readonly addressScore: (address: string) => Promise<AddressScore>
  readonly admin: IntelAdmin
  readonly retroApi: RetroApi
  /** To be registered with the configuration store before `start`. */
  readonly consumer: ConfigConsumer<Settings>
  /** With services: sources are kept loaded, and the embedded service listens where none is shared. */
  start(): Promise<void>
  stop(graceMs: number): Promise<void>
}

export interface IntelOptions {
  readonly env: Env
  readonly events: EventBus
  /** The running configuration. */
  readonly config: ConfigReader
  readonly writer: SqliteWriter
  /** `<home>/intel`: CA, keys, port. */
  readonly directory: string
  readonly database: string
  /** `<home>/configuration`, where relative paths of sources lie. */
  readonly configuration: string
  /** For DNS lists: not behind the cache, which knows no answer's meaning. */
  readonly resolver: Resolver
  readonly serial: string
  readonly version: string
  /** The URLs that are watched in a message. */
  readonly watched: (emailId: string) => readonly string[]
}

const PRUNE_MS = 3600_000
const EXPLAIN_MS = 10_000

export const createIntel = async (options: IntelOptions): Promise<Intel> => {
  const { env, events, config, serial, version } = options
  const store = await createIntelStore(options.writer, options.database)
  const lists = createDnsLists({ resolver: options.resolver, clock: env.clock, events })
  const feeds = createFeedFetch({
    clock: env.clock,
    proxy: () => config.get(intelligence).proxyUrl,
    ca: null,
    userAgent: `lychgate/${version}`,
  })
  const hashes: HashLists = createHashLists({
    store,
    feeds,
    files: diskHashListFiles(options.directory),
    clock: env.clock,
    events,
    changed: () => service.catchUp(),
  })
  const service = createIntelService({ store, env, lists, hashes })
  const sets = createSourceLoader({
    store,
    files: diskSourceFiles,
    feeds,
    clock: env.clock,
    events,
    locate: (path) => (isAbsolute(path) ? path : join(options.configuration, path)),
    loaded: () => service.catchUp(),
  })
  const loader = withLists(sets, hashes, lists)
  const schedule = createSourceSchedule(env.clock, loader)
  const http = createHttpExchange(env.clock)
  let embedded: EmbeddedIntel | null = null

  const settings = (): IntelClientSettings => {
    const { serviceUrl, caFile, proxyUrl, deviceSecret, organization, hashLookups, hashSubmissions } =
      config.get(intelligence)
    if (serviceUrl !== null)
      return {
        endpoint: { url: serviceUrl, ca: caFile === null ? null : caText(caFile), proxy: proxyUrl },
        organization,
        deviceSecret: deviceSecret ?? '',
        hashLookups,
        hashSubmissions,
      }
    if (embedded === null) throw new Fault('NOT_CONFIGURED', 'the embedded intelligence service is not running')
    return {
      endpoint: { url: embedded.uri, ca: embedded.caPem, proxy: null },
      organization,
      deviceSecret: embedded.deviceSecret,
      // It is this process.
      hashLookups: false,
      hashSubmissions: false,
    }
  }
  const client = { http, serial, version, settings, entropy: env.entropy, watched: options.watched }
  const remote = createRemoteLookup(client)
  const lookup = (): IntelLookup => (config.get(intelligence).serviceUrl === null ? service.lookup : remote)
  const urlReputation = createUrlReputation({ env, events, config, lookup, product: { serial, version } })
  const addressScores = createAddressScores({ lookup, clock: env.clock })
  const senderReputation = createSenderReputation({
    env,
    events,
    config,
    lookup,
    firstSeen: store.firstSeen,
    trackerKey: trackerKey(options.directory, env.entropy),
  })
  service.onChange(() => {
    urlReputation.flush()
    senderReputation.flush()
    addressScores.flush()
  })

  const admin: IntelAdmin = {
    show: (indicator) => {
      own(config)
      return service.verdicts.show(indicator)
    },
    explain: async (indicator) => {
      const { serviceUrl } = config.get(intelligence)
      if (serviceUrl === null) return await service.verdicts.explain(indicator)
      const explain = (signal: AbortSignal) => explainRemotely(remote, serviceUrl, indicator, signal)
      return await withDeadline(env.clock, EXPLAIN_MS, new AbortController().signal, explain)
    },
    set: async (...args) => {
      own(config)
      return await service.verdicts.set(...args)
    },
    remove: async (indicator, user) => {
      own(config)
      return (await service.verdicts.remove(indicator, user)) !== null
    },
    sources: () => config.get(intelligence).sources.map((s) => loader.status(s)),
    refresh: async (name, signal) => {
      const source = config.get(intelligence).sources.find((s) => s.name === name)
      if (!source) throw new UserError(`There is no source '${name}'. Add it with intelconfig and commit.`)
      if (!source.enabled) throw new UserError(`The source '${name}' is disabled.`)
      return await loader.load(source, signal, true)
    },
  }

  const running = { services: false }
  let housekeeping: AbortController | null = null
  const apply = async (next: Settings): Promise<void> => {
    urlReputation.flush()
    senderReputation.flush()
    addressScores.flush()
    if (!running.services) return
    const known = [...store.opinions.sourceNames(), ...lists.names(), ...hashes.names()].filter(
      (name) => name !== OPERATOR && !name.startsWith(LOADED),
    )
    await schedule.apply(next.sources, known)
    if (next.serviceUrl === null) embedded ??= await startEmbeddedIntel({ ...options, service })
    else {
      const old = embedded
      embedded = null
      await old?.stop(1000)
    }
  }
  const keepHouse = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      // Also what a restart or a full disk left half done.
      for (const work of [() => service.catchUp(), () => service.prune()])
        await work().catch((error: unknown) => {
          events.publish({ type: 'system.warning', text: `intelligence: housekeeping failed: ${errorText(error)}` })
        })
      await env.clock.sleep(PRUNE_MS, signal).catch(() => undefined)
    }
  }

  return {
    urlReputation,
    addressScore: addressScores.of,
    admin,
    senderReputation,
    retroApi: createRetroApi(client),
    consumer: {
      section: intelligence,
      prepare: async (next) => {
        if (next.caFile === null) return []
        try {
          caText(next.caFile)
          return []
        } catch (error) {
          return [{ path: 'intelligence.caFile', message: errorText(error), severity: 'error' as const }]
        }
      },
      apply,
    },
    start: async () => {
      running.services = true
      await service.resume()
      await apply(config.get(intelligence))
      housekeeping = new AbortController()
      void keepHouse(housekeeping.signal)
    },
    stop: async (graceMs) => {
      running.services = false
      housekeeping?.abort(new Error('stopping'))
      await schedule.stop()
      await embedded?.stop(graceMs)
      embedded = null
      await service.retro.settled()
      await http.close()
      await feeds.close()
    },
  }
}

/** A shared service's verdicts are its operator's: what was set here does not count then. */
const own = (config: ConfigReader): void => {
  const { serviceUrl } = config.get(intelligence)
  if (serviceUrl !== null)
    throw new UserError(`Verdicts come from ${serviceUrl}. They are set and shown there, with 'lychgate intel'.`)
}
