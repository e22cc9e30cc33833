import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Clock } from '../../core/clock.ts'
import { Fault } from '../../core/errors.ts'
import type { ServiceMetrics } from '../../intel/service/metrics.ts'
import { createRequestRates } from '../../intel/service/request-rates.ts'
import type { IntelService } from '../../intel/service/service.ts'
import { intelRoutes } from './intel-routes.ts'
import { listenOn, stopServer } from './server-life.ts'

export interface IntelServer {
  /** `https://host:port` under which devices reach it. */
  readonly uri: string
  readonly port: number
  /** New connections are refused at once; what is under way gets `graceMs`. */
  stop(graceMs: number): Promise<void>
}

const MAX_CONNECTIONS = 2000

/** The intelligence service over HTTPS. @throws Fault when it cannot listen there. */
export const startIntelServer = async (options: {
  readonly service: IntelService
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  /** Name by which devices know it; default: `host`. */
  readonly publicHost?: string
  /** Of each device; none when it is missing. */
  readonly limits?: { readonly clock: Clock; readonly requestsAMinute: number }
  readonly metrics?: ServiceMetrics
  /** What the answers' Date header tells; a gateway compares it with its own clock. */
  readonly now?: () => Date
}): Promise<IntelServer> => {
  const { service, tls, host } = options
  const name = options.publicHost ?? host
  let uri = ''
  const { limits, metrics } = options
  const routes = intelRoutes(service, () => uri, {
    ...(limits ? { rates: createRequestRates(limits.clock, limits.requestsAMinute) } : {}),
    ...(metrics ? { metrics } : {}),
    ...(limits ? { monotonic: () => limits.clock.monotonic() } : {}),
  })
  const server = createAdaptorServer({
    fetch: async (request) => {
      const answer = await routes.fetch(request)
      if (options.now) answer.headers.set('date', options.now().toUTCString())
      return answer
    },
    overrideGlobalObjects: false,
    createServer,
    serverOptions: { cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' },
  }) as Server
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  server.keepAliveTimeout = 15_000
  try {
    await listenOn(server, options.port, host)
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'error'
    throw new Fault(
      'UPSTREAM_UNAVAILABLE',
      `the intelligence service cannot listen on ${host}:${options.port} (${code})`,
    )
  }
  // A broken handshake is the client's trouble.
  server.on('tlsClientError', (_, socket) => socket.destroy())
  const { port } = server.address() as AddressInfo
  uri = `https://${name.includes(':') ? `[${name}]` : name}:${port}`
  return {
    uri,
    port,
    stop: (graceMs) => stopServer(server, graceMs),
  }
}
