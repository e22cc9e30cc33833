import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { join, resolve } from 'node:path'
import { loadOwnCa } from '../adapters/crypto/ca.ts'
import { diskHashListFiles } from '../adapters/files/hash-list-files.ts'
import { diskSourceFiles } from '../adapters/files/source-files.ts'
import { createFeedFetch } from '../adapters/http/feed-fetch.ts'
import { startIntelServer } from '../adapters/http/intel-server.ts'
import { errorText, UserError } from '../core/errors.ts'
import { createEventBus } from '../events/bus.ts'
import { createServiceMetrics } from '../intel/service/metrics.ts'
import type { IntelService } from '../intel/service/service.ts'
import { createHashLists } from '../intel/sources/hash-lists.ts'
import { withLists } from '../intel/sources/kinds.ts'
import { createSourceLoader } from '../intel/sources/loader.ts'
import type { SourceLoader } from '../intel/sources/loader.ts'
import { createSourceSchedule } from '../intel/sources/schedule.ts'
import type { IntelStore } from '../store/repositories/intel.ts'
import type { IntelCommandOptions } from './intel-serve.ts'
import { keptSources } from './intel-sources.ts'

/** `lychgate intel serve`: HTTPS for devices, sources by schedule, metrics for Prometheus. */

export const DEFAULT_LISTEN = '127.0.0.1:8443'
const REQUESTS_A_MINUTE = 1200
const GRACE_MS = 5000
const HOUSEKEEPING_MS = 3600_000
/** How soon a source that `load` or `unload` changed is taken up. */
const LOOK_MS = 10_000

export interface ServeWords {
  readonly listen: string
  readonly name?: string | undefined
  readonly metrics?: string | undefined
  readonly 'requests-a-minute'?: string | undefined
  readonly 'watched-urls'?: string | undefined
  readonly 'token-hours'?: string | undefined
}

const hostAndPort = (option: string, text: string): { readonly host: string; readonly port: number } => {
  const m = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text)
  const port = Number(m?.[3])
  if (!m || port > 65_535) throw new UserError(`--${option} must be HOST:PORT (Ex: ${DEFAULT_LISTEN}), not '${text}'.`)
  return { host: (m[1] ?? m[2]) as string, port }
}

const numberOf = (option: string, word: string | undefined, min: number, max: number): number | null => {
  if (word === undefined) return null
  const value = /^\d{1,9}$/.test(word) ? Number(word) : NaN
  if (!(value >= min && value <= max)) throw new UserError(`--${option} must be a number from ${min} to ${max}.`)
  return value
}

/** What the options say of tokens and devices. @throws UserError */
export const limitsOf = (words: ServeWords): { readonly tokenMs?: number; readonly watchedUrls?: number } => {
  const hours = numberOf('token-hours', words['token-hours'], 1, 8760)
  const watchedUrls = numberOf('watched-urls', words['watched-urls'], 1, 100_000_000)
  return {
    ...(hours === null ? {} : { tokenMs: hours * 3600_000 }),
    ...(watchedUrls === null ? {} : { watchedUrls }),
  }
}

/** Sources of a service that runs alone. What they have to say goes to `print`. */
export const loading = (
  store: IntelStore,
  directory: string,
  options: IntelCommandOptions,
  changed: () => Promise<void>,
) => {
  const { env, print } = options
  const feeds = createFeedFetch({ clock: env.clock, proxy: () => null, ca: null, userAgent: 'lychgate' })
  const events = createEventBus(env.clock)
  events.subscribe((_, e) => {
    if (e.type === 'alert.raised') print(e.text)
  })
  const shared = { store, feeds, clock: env.clock, events }
  const hashes = createHashLists({ ...shared, files: diskHashListFiles(directory), changed })
  const sets = createSourceLoader({
    ...shared,
    files: diskSourceFiles,
    locate: (path) => resolve(path),
    loaded: changed,
  })
  return { loader: withLists(sets, hashes, null), hashes, close: () => feeds.close() }
}

const listenForMetrics = async (place: string, text: () => string): Promise<Server> => {
  const { host, port } = hostAndPort('metrics', place)
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics'
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(found ? text() : 'Not Found\n')
  })
  server.maxConnections = 50
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(new UserError(`--metrics ${place}: ${errorText(error)}.`)))
    server.listen(port, host, done)
  })
  return server
}

export const serveIntel = async (
  service: IntelService,
  loader: SourceLoader,
  store: IntelStore,
  directory: string,
  words: ServeWords,
  options: IntelCommandOptions,
): Promise<void> => {
  const { env, print, signal } = options
  const { host, port } = hostAndPort('listen', words.listen)
  const requestsAMinute = numberOf('requests-a-minute', words['requests-a-minute'], 1, 1_000_000) ?? REQUESTS_A_MINUTE
  const name = words.name ?? (host === '0.0.0.0' || host === '::' ? 'localhost' : host)
  const tls = await loadOwnCa(directory, [...new Set([name, host, 'localhost', '127.0.0.1'])], env)
  const schedule = createSourceSchedule(env.clock, loader)
  const metrics = createServiceMetrics(env.clock)
  const figures = () => ({
    devices: service.devices.list().length,
    waitingChanges: service.retro.waiting(),
    partitions: store.observed.partitions().length,
    sources: keptSources(directory).map((s) => loader.status(s)),
  })
  const limits = { clock: env.clock, requestsAMinute }
  const server = await startIntelServer({ service, tls, host, port, publicHost: name, limits, metrics })
  const scraped =
    words.metrics === undefined ? null : await listenForMetrics(words.metrics, () => metrics.text(figures()))
  print(`listening on ${server.uri}, CA in ${join(directory, 'ca.pem')}`)
  let kept = -Infinity
  while (!signal.aborted) {
    try {
      await schedule.apply(keptSources(directory), [])
      if (env.clock.monotonic() - kept >= HOUSEKEEPING_MS) {
        kept = env.clock.monotonic()
        await service.catchUp()
        await service.prune()
      }
    } catch (error) {
      print(errorText(error))
    }
    await env.clock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
  await schedule.stop()
  scraped?.close()
  scraped?.closeAllConnections()
  await server.stop(GRACE_MS)
  await service.retro.settled()
}
