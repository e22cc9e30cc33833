import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import { systemClock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An HTTPS server of a feed's provider on loopback, with a CA of its own. `answer` may change between requests. */
export const startFeedServer = async (directory: string) => {
  // TLS checks dates by the machine's clock.
  const tls = await loadOwnCa(directory, ['localhost', '127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
  const seen: {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage['headers']
    readonly body: string
  }[] = []
  let handler: Handler = (_, response) => response.writeHead(404).end()
  const server = createServer({ cert: tls.certPem, key: tls.keyPem }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      handler(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    caPem: tls.caPem,
    seen,
    answer: (next: Handler) => {
      handler = next
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
