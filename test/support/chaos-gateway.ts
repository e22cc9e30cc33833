import { join } from 'node:path'
import { createHttpExchange } from '../../src/adapters/http/exchange.ts'
import { createRetroApi } from '../../src/adapters/http/intel-client.ts'
import type { IntelClientSettings } from '../../src/adapters/http/intel-client.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { createRemediationStore } from '../../src/adapters/sqlite/remediation.ts'
import { createWatchStore } from '../../src/adapters/sqlite/watch.ts'
import { remediation as remediationSection } from '../../src/config/sections/remediation.ts'
import { urlFiltering } from '../../src/config/sections/url-filtering.ts'
import { urlRetrospection } from '../../src/config/sections/url-retrospection.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Env } from '../../src/core/env.ts'
import { createEventBus } from '../../src/events/bus.ts'
import { createRemediation } from '../../src/remediation/service.ts'
import { createRetro } from '../../src/retro/service.ts'
import type { RetroRuntime } from '../../src/retro/service.ts'
import type { DeliveryLedger } from '../../src/store/spool.ts'
import { FakeMailboxes, delivery } from './remediation.ts'
import { TestConfig } from './retro.ts'

/** Retrospection and remediation of one gateway over real databases and real HTTPS, which can be killed and started. */
export interface ChaosGateway {
  readonly mailboxes: FakeMailboxes
  readonly retro: RetroRuntime
  readonly lives: number
  /** A message with these URLs was delivered. */
  deliver(mid: number, urls: readonly string[]): Promise<void>
  /** As kill -9: what is under way never goes on. */
  restart(): Promise<void>
  end(): Promise<void>
}

export const chaosGateway = async (options: {
  readonly folder: string
  readonly serial: string
  readonly env: Env
  readonly settings: () => IntelClientSettings
}): Promise<ChaosGateway> => {
  const { env, folder, serial } = options
  const mailboxes = new FakeMailboxes()
  const config = new TestConfig()
  config.set(urlFiltering, { marEnabled: true })
  config.set(urlRetrospection, { enabled: true, pageSize: 3 })
  config.set(remediationSection, { guardMessages: 1_000_000, guardMailboxes: 1_000_000 })
  const ledger: DeliveryLedger = {
    byRoot: (mid) => [delivery(mid)],
    bySubject: () => [],
    mailboxes: () => 1000,
    prune: async () => undefined,
  }
  let life = 0
  let die: () => Promise<void> = async () => undefined

  const start = async (): Promise<RetroRuntime> => {
    life += 1
    const writer = inlineWriter({ durable: false })
    const events = createEventBus(env.clock)
    const alerts = { raise: () => undefined, recent: () => [] }
    const http = createHttpExchange(systemClock)
    const watch = await createWatchStore(writer, join(folder, 'retro.db'))
    const api = createRetroApi({
      http,
      serial,
      version: '0.1.0',
      settings: options.settings,
      entropy: env.entropy,
      watched: (emailId) => watch.urls(emailId),
    })
    const shared = { env, config, events, alerts }
    const remediation = createRemediation({
      logs: { flush: () => Promise.resolve() },
      ...shared,
      store: await createRemediationStore(writer, join(folder, 'remediation.db')),
      ledger,
      providers: new Map([['maildir', mailboxes]]),
    })
    const retro = createRetro({
      ...shared,
      store: watch,
      api,
      remediation,
    })
    die = async () => {
      await writer.close()
      await http.close()
    }
    return retro
  }
  let retro = await start()
  return {
    mailboxes,
    get retro() {
      return retro
    },
    get lives() {
      return life
    },
    deliver: async (mid, urls) => {
      mailboxes.put(delivery(mid))
      await retro.watch(
        urls.map((url) => ({ rootMid: mid, messageId: `<${mid}@x.example>`, url, direction: 'incoming' })),
      )
    },
    restart: async () => {
      await die()
      retro = await start()
    },
    end: () => die(),
  }
}
