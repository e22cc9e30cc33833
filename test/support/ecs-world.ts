import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import { startIntelServer } from '../../src/adapters/http/intel-server.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../src/adapters/sqlite/intel.ts'
import type { ConfigSection } from '../../src/config/section.ts'
import { intelligence } from '../../src/config/sections/intelligence.ts'
import { listeners } from '../../src/config/sections/listeners.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { createIntelService } from '../../src/intel/service/service.ts'
import type { IntelService } from '../../src/intel/service/service.ts'
import { buildAppliance } from '../../src/main/appliance.ts'
import type { RunningAppliance } from '../../src/main/options.ts'
import { seededEntropy } from './env.ts'
import type { FakeClock } from './fake-clock.ts'

type Overrides = { readonly [K in keyof IntelService]?: Partial<IntelService[K]> }

/** A whole appliance in this process and, over real HTTPS on loopback, the intelligence service it speaks to. */
export interface EcsWorld {
  readonly running: RunningAppliance
  readonly service: IntelService
  readonly serviceUri: string
  /** What the files of a log hold from there on, once it ends so. */
  log(name: string, end: string, from?: number): Promise<string>
  logged(name: string): number
  commit(change: (set: <T>(section: ConfigSection<T>, value: Partial<T>) => void) => void): Promise<void>
  close(): Promise<void>
}

/** `wrap` stands between the HTTPS server and the service: what the network or a fault does to it. */
export const ecsWorld = async (options: {
  readonly clock: FakeClock
  readonly serviceClock?: Clock
  /** How long a device's token lasts at the service. */
  readonly tokenMs?: number
  readonly wrap?: (service: IntelService) => Overrides
}): Promise<EcsWorld> => {
  const { clock } = options
  const home = mkdtempSync(join(tmpdir(), 'lychgate-ecs-'))
  // TLS checks dates by the machine's clock.
  const tls = await loadOwnCa(join(home, 'service'), ['127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
  const writer = inlineWriter()
  const store = await createIntelStore(writer, join(home, 'service', 'intel.db'))
  const env = { clock: options.serviceClock ?? clock, entropy: seededEntropy(7) }
  const service = createIntelService({
    store,
    env,
    ...(options.tokenMs === undefined ? {} : { tokenMs: options.tokenMs }),
  })
  const between = options.wrap?.(service) ?? {}
  const served = {
    ...service,
    devices: { ...service.devices, ...between.devices },
    retro: { ...service.retro, ...between.retro },
  }
  const server = await startIntelServer({
    service: served,
    tls,
    host: '127.0.0.1',
    port: 0,
    now: () => env.clock.now(),
  })
  const noName = async (): Promise<never> => {
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
  }
  const running = await buildAppliance({
    home: join(home, 'gateway'),
    env: { clock, entropy: seededEntropy(3) },
    resolver: { resolve: noName, reverse: noName },
    services: true,
    writer: 'inline',
    durable: false,
    seed: { hostname: 'mail.example.com', smtp: { address: '127.0.0.1', port: 0 } },
  })
  const { config } = running.appliance
  const commit: EcsWorld['commit'] = async (change) => {
    const draft = config.draft()
    change((section, value) =>
      draft.set(section, (Array.isArray(value) ? value : { ...draft.get(section), ...value }) as never),
    )
    await config.commit(draft, { user: 'admin', comment: '', keepForRollback: false })
  }
  const logFiles = (name: string): string => {
    const folder = join(home, 'gateway', 'logs', name)
    // Made with its first line.
    if (!existsSync(folder)) return ''
    const files = readdirSync(folder).filter((file) => /\.[cs]$/.test(file))
    return files
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('')
  }
  const caFile = join(home, 'ca.pem')
  writeFileSync(caFile, tls.caPem)
  const deviceSecret = await service.devices.enrol(running.appliance.serial)
  await commit((set) => {
    set(listeners, [])
    set(intelligence, { organization: 'cisco', serviceUrl: server.uri, caFile, deviceSecret })
  })
  return {
    running,
    service,
    serviceUri: server.uri,
    log: async (name, end, from = 0) => {
      await vi.waitUntil(() => logFiles(name).trimEnd().endsWith(end), { timeout: 5000 })
      return logFiles(name).slice(from)
    },
    logged: (name) => logFiles(name).length,
    commit,
    close: async () => {
      await running.stop(0)
      await server.stop(100)
      await writer.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
