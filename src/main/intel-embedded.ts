import { loadOwnCa } from '../adapters/crypto/ca.ts'
import { startIntelServer } from '../adapters/http/intel-server.ts'
import type { IntelServer } from '../adapters/http/intel-server.ts'
import type { Env } from '../core/env.ts'
import type { IntelService } from '../intel/service/service.ts'
import { readText, writeText } from './intel-files.ts'

/** The embedded service's HTTPS side: loopback only, for the gateway in the same process. */
export interface EmbeddedIntel {
  readonly uri: string
  readonly caPem: string
  readonly deviceSecret: string
  stop(graceMs: number): Promise<void>
}

const HOST = '127.0.0.1'

/** On the port of the last time if that is free: what is registered stays good. */
const startOnKeptPort = async (
  directory: string,
  listen: (port: number) => Promise<IntelServer>,
): Promise<IntelServer> => {
  const kept = Number(readText(directory, 'port') ?? 0)
  const port = Number.isInteger(kept) && kept > 0 && kept < 65_536 ? kept : 0
  const server = port === 0 ? await listen(0) : await listen(port).catch(() => listen(0))
  if (server.port !== port) writeText(directory, 'port', String(server.port))
  return server
}

export const startEmbeddedIntel = async (options: {
  readonly directory: string
  readonly service: IntelService
  readonly serial: string
  readonly env: Env
}): Promise<EmbeddedIntel> => {
  const { directory, service, serial, env } = options
  const tls = await loadOwnCa(directory, [HOST, 'localhost'], env)
  let deviceSecret = readText(directory, 'device.secret')
  if (deviceSecret === null || !service.devices.list().includes(serial)) {
    deviceSecret = await service.devices.enrol(serial)
    writeText(directory, 'device.secret', deviceSecret)
  }
  const now = (): Date => env.clock.now()
  const server = await startOnKeptPort(directory, (port) => startIntelServer({ service, tls, host: HOST, port, now }))
  return { uri: server.uri, caPem: tls.caPem, deviceSecret, stop: (graceMs) => server.stop(graceMs) }
}
