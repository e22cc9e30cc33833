import { createServer as createPlain } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AnswerClick } from '../../services/redirect-clicks.ts'
import { listenOn, stopServer } from './server-life.ts'

export interface RedirectServer {
  readonly address: string
  readonly port: number
  stop(graceMs: number): Promise<void>
}

const MAX_CONNECTIONS = 500
const MAX_HEADER_BYTES = 16_384

const respond = async (answer: AnswerClick, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client is gone')))
  const { method = '', url = '', socket } = request
  // Nothing that is asked here has a body.
  request.resume()
  try {
    const { status, headers, body } = await answer(
      { method, target: url, remoteAddress: socket.remoteAddress ?? '' },
      gone.signal,
    )
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
    response.end(method === 'HEAD' ? undefined : body)
  } catch {
    if (!response.headersSent) response.writeHead(503, { 'retry-after': '10', 'content-length': 0 })
    response.end()
  }
}

/** The redirect service over HTTP or HTTPS. Rejects when it cannot listen there. */
export const startRedirectServer = async (options: {
  readonly answer: AnswerClick
  readonly address: string
  /** 0 = any free one. */
  readonly port: number
  /** null = plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null
}): Promise<RedirectServer> => {
  const { answer, tls } = options
  const limits = { maxHeaderSize: MAX_HEADER_BYTES }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(answer, request, response)
  }
  const server: Server =
    tls === null ? createPlain(limits, listener) : createSecure({ ...limits, ...tls, minVersion: 'TLSv1.2' }, listener)
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = 10_000
  server.requestTimeout = 15_000
  server.keepAliveTimeout = 5000
  server.on('tlsClientError', (_error: Error, socket: Duplex) => void socket.destroy())
  await listenOn(server, options.port, options.address)
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    port,
    stop: (graceMs) => stopServer(server, graceMs),
  }
}
