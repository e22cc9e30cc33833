import { quarantines } from '../config/sections/quarantines.ts'
import type { ConfigReader } from '../config/section.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { QuarantineService } from '../mail/quarantine.ts'
import type { Service } from './service.ts'

export interface QuarantineExpiryDeps {
  readonly quarantine: QuarantineService
  readonly config: ConfigReader
  readonly env: Env
  readonly events: EventBus
}

const EVERY_MS = 60_000

/** Ends the retention of quarantined messages with the default action of their quarantine. */
export const createQuarantineExpiry = ({ quarantine, config, env, events }: QuarantineExpiryDeps): Service => {
  const { clock, entropy } = env
  let since = clock.now()
  let stopping = new AbortController()
  let loop: Promise<void> = Promise.resolve()
  let failing: string | null = null

  const sweep = async (): Promise<void> => {
    const now = clock.now()
    for (const held of quarantine.list()) {
      if (held.until > now) continue
      // A quarantine that no longer exists has no default action: what it held is released, not lost.
      const action = config.get(quarantines).find((q) => q.name === held.quarantine)?.defaultAction ?? 'release'
      await quarantine[action](held.entry.mid, 'expired')
    }
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await sweep()
        failing = null
      } catch (error) {
        failing = errorText(error)
        const reference = uuid(entropy).slice(0, 8)
        events.publish({
          type: 'system.fault',
          code: 'INTERNAL',
          where: 'quarantine expiry',
          error: failing,
          reference,
        })
      }
      await clock.sleep(EVERY_MS, signal).catch(() => undefined)
    }
  }

  return {
    name: 'quarantine expiry',
    start: async (_config, signal) => {
      since = clock.now()
      stopping = new AbortController()
      loop = run(AbortSignal.any([signal, stopping.signal]))
    },
    stop: async () => {
      stopping.abort()
      await loop
    },
    health: () => (failing === null ? { state: 'up', since } : { state: 'degraded', detail: failing, since }),
  }
}
