import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { intelRoutes } from '../../src/adapters/http/intel-routes.ts'
import type { OwnCa } from '../../src/adapters/crypto/ca.ts'
import type { IntelService } from '../../src/intel/service/service.ts'

export const FAULTS = [
  'refused',
  'token',
  'throttled',
  'error',
  'garbage',
  'half',
  'lost',
  'endless',
  'hang',
  'twice',
  'stranger',
] as const
export type ChaosFault = (typeof FAULTS)[number]

export interface ChaosServer {
  readonly uri: string
  /** Asked for each request; null lets it through. */
  fault: (path: string) => ChaosFault | null
  /** Requests that are kept without an answer now. */
  readonly hanging: number
  readonly seen: ReadonlyMap<ChaosFault | 'none', number>
  /** The service behind it: a restart puts another one there. */
  service: IntelService
  /** What the answers' Date header tells. */
  now: () => Date
  stop(): Promise<void>
}

const REFUSALS: Partial<Record<ChaosFault, readonly [number, string, Record<string, string>?]>> = {
  refused: [403, '{"message":"Forbidden"}'],
  token: [403, '{"message":"Token Expired"}'],
  throttled: [429, '{"message":"Slow down"}', { 'retry-after': '7' }],
  error: [500, '<h1>Internal Server Error</h1>'],
  garbage: [200, '\u0000\u0001<!doctype html>{"retros":['],
}

type Retros = { retros?: Record<string, unknown>[]; more?: boolean }

const STRANGER = {
  observable: { observable_type: 'url', value: 'http://stranger.example/' },
  context_tags: [],
  email_id: '00000000-0000-4000-8000-000000000000',
  verdict: { taxonomy_id: 4, taxonomy_entry_id: 3, tag_type_id: 1 },
}

/** The intelligence service over real HTTPS, behind something that breaks its answers in every way. */
export const startChaos = async (options: {
  readonly tls: OwnCa
  readonly service: IntelService
  readonly now: () => Date
}): Promise<ChaosServer> => {
  const sockets = new Set<Socket>()
  const seen = new Map<ChaosFault | 'none', number>()
  let uri = ''
  let hanging = 0

  const real = async (request: IncomingMessage, body: Buffer): Promise<Response> => {
    const { authorization = '' } = request.headers
    const headers = { authorization, 'content-type': 'application/json' }
    const init = { method: request.method ?? 'GET', headers, ...(request.method === 'POST' ? { body } : {}) }
    return await intelRoutes(chaos.service, () => uri).fetch(new Request(`${uri}${request.url}`, init))
  }
  const plain = (response: ServerResponse, status: number, body: string, more: Record<string, string> = {}): void => {
    response.writeHead(status, { date: chaos.now().toUTCString(), ...more }).end(body)
  }

  const handle = async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
    const path = request.url ?? ''
    const fault = chaos.fault(path)
    seen.set(fault ?? 'none', (seen.get(fault ?? 'none') ?? 0) + 1)
    if (fault === 'hang') {
      hanging += 1
      request.socket.once('close', () => (hanging -= 1))
      return
    }
    const refusal = fault === null ? undefined : REFUSALS[fault]
    if (refusal) return plain(response, ...refusal)
    const answer = await real(request, body)
    let text = await answer.text()
    if (fault === 'lost') return void request.socket.destroy()
    if (fault === 'half') {
      response.writeHead(answer.status, { 'content-length': String(Buffer.byteLength(text)) })
      response.write(text.slice(0, text.length >> 1), () => request.socket.destroy())
      return
    }
    if (fault !== null && path.includes('?since=') && answer.status === 200) {
      const page = JSON.parse(text) as Retros
      const retros = page.retros ?? []
      if (fault === 'endless') text = JSON.stringify({ retros, more: true })
      if (fault === 'twice') text = JSON.stringify({ retros: [...retros, ...retros], more: page.more ?? false })
      if (fault === 'stranger') {
        const timestamp = `${chaos.now().toISOString().slice(0, 19)}Z`
        text = JSON.stringify({ retros: [{ ...STRANGER, timestamp }, ...retros], more: page.more ?? false })
      }
    }
    plain(response, answer.status, text)
  }

  const server = createServer({ cert: options.tls.certPem, key: options.tls.keyPem }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => void handle(request, response, Buffer.concat(chunks)))
  })
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  uri = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const chaos: ChaosServer = {
    uri,
    fault: () => null,
    get hanging() {
      return hanging
    },
    seen,
    service: options.service,
    now: options.now,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return chaos
}
