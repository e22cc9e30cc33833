import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadOwnCa } from '../../src/adapters/crypto/ca.ts'
import { inlineWriter } from '../../src/adapters/sqlite/database.ts'
import { createIntelStore } from '../../src/adapters/sqlite/intel.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Clock } from '../../src/core/clock.ts'
import { systemEntropy } from '../../src/core/entropy.ts'
import { createIntelService } from '../../src/intel/service/service.ts'
import type { IntelService } from '../../src/intel/service/service.ts'
import { startChaos, FAULTS } from './chaos.ts'
import type { ChaosFault } from './chaos.ts'
import { chaosGateway } from './chaos-gateway.ts'
import { seededEntropy, testEnv } from './env.ts'
import { settle } from './fake-clock.ts'

const SERIAL = '420D4F36AAEBC009AAAA-B9E721891234'
const MINUTE = 60_000

export interface ChaosOutcome {
  /** Messages that carried a URL which turned malicious. */
  readonly expected: readonly string[]
  readonly deleted: readonly string[]
  readonly faults: ReadonlyMap<ChaosFault | 'none', number>
  readonly lives: number
  readonly pollsFailed: number
}

/**
 * Some days of a gateway and its service in which everything goes wrong by chance (seeded): every fault of the service,
 * clocks that differ by hours and jump, both sides killed in the middle. Then it heals.
 */
export const chaosStory = async (seed: number, rounds: number): Promise<ChaosOutcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'))
  const env = testEnv()
  const { clock } = env
  const dice = seededEntropy(seed * 7919 + 1)
  // Of its own: how many requests there are is a matter of timing, what happens otherwise is not.
  const faults = seededEntropy(seed * 104_729 + 5)
  const chance = (percent: number): boolean => dice.int(100) < percent
  // The service's clock, off by as much.
  let skew = 0
  const serviceClock: Clock = {
    now: () => new Date(clock.now().getTime() + skew),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  }
  const tls = await loadOwnCa(folder, ['127.0.0.1'], { clock: systemClock, entropy: systemEntropy })
  let writer = inlineWriter({ durable: false })
  const startService = async (): Promise<IntelService> =>
    createIntelService({
      store: await createIntelStore(writer, join(folder, 'intel.db')),
      env: { clock: serviceClock, entropy: env.entropy },
      tokenMs: 3 * 3600_000,
    })
  const server = await startChaos({ tls, service: await startService(), now: () => serviceClock.now() })
  const deviceSecret = await server.service.devices.enrol(SERIAL)
  const endpoint = { url: server.uri, ca: tls.caPem, proxy: null }
  const settings = () => ({
    endpoint,
    organization: 'example',
    deviceSecret,
    hashLookups: true,
    hashSubmissions: true,
  })
  const gateway = await chaosGateway({ folder, serial: SERIAL, env, settings })

  let pollsFailed = 0
  /** Polls; a request that hangs costs its time-out. Kills the gateway in the middle when told. */
  const poll = async (killed: boolean): Promise<void> => {
    const control = new AbortController()
    let over = false
    const polling = gateway.retro
      .poll(control.signal)
      .then(
        ({ error }) => void (pollsFailed += error === null ? 0 : 1),
        () => undefined,
      )
      .finally(() => (over = true))
    if (killed) {
      for (let turns = dice.int(40); turns > 0 && !over; turns--) await settle()
      await gateway.restart()
      control.abort(new Error('killed'))
    }
    while (!over) {
      await settle()
      if (server.hanging > 0) await clock.advance(31_000)
    }
    await polling
  }

  const malicious = new Set<string>()
  const carried = new Map<number, readonly string[]>()
  let mid = 0
  try {
    for (let round = 0; round < rounds; round++) {
      const stormy = chance(70)
      server.fault = () => (stormy && faults.int(100) < 40 ? (FAULTS[faults.int(FAULTS.length)] ?? null) : null)
      for (let n = dice.int(4); n > 0; n--) {
        mid += 1
        const urls = Array.from({ length: 1 + dice.int(2) }, () => `http://h${dice.int(30)}.example/p${dice.int(2)}`)
        carried.set(mid, urls)
        await gateway.deliver(mid, [...new Set(urls)])
      }
      if (chance(30)) {
        const url = `http://h${dice.int(30)}.example/p${dice.int(2)}`
        malicious.add(url)
        await server.service.verdicts.set(url, 'malicious', { user: 'admin' })
      }
      if (chance(10)) skew = dice.int(8 * 3600_000) - 4 * 3600_000
      if (chance(10)) {
        await writer.close()
        writer = inlineWriter({ durable: false })
        server.service = await startService()
      }
      if (chance(10)) await gateway.restart()
      await poll(chance(15))
      await clock.advance(chance(10) ? 3 * 3600_000 : 2 * MINUTE)
    }
    server.fault = () => null
    for (let n = 0; n < 5; n++) {
      await poll(false)
      await clock.advance(2 * MINUTE)
    }
    const hit = [...carried].filter(([, urls]) => urls.some((url) => malicious.has(url)))
    return {
      expected: hit.map(([m]) => `${m} user${m}@example.com`).sort(),
      deleted: [...gateway.mailboxes.deleted].sort(),
      faults: server.seen,
      lives: gateway.lives,
      pollsFailed,
    }
  } finally {
    await gateway.end()
    await server.stop()
    await writer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
