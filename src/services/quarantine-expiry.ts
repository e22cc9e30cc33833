import { quarantines } from '../config/sections/quarantines.ts'
import type { ConfigReader } from '../config/section.ts'
import { uuid } from '../core/entropy.ts'
import type { Env } from '../core/env.ts'
import { errorText, UserError } from '../core/errors.ts'
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

  /** One that cannot be ended now does not keep those behind it: it is tried again at the next sweep. */
  const end = async (mid: number, name: string): Promise<string | null> => {
    // A quarantine that no longer exists has no default action: what it held is released, not lost.
    const action = config.get(quarantines).find((q) => q.name === name)?.defaultAction ?? 'release'
    try {
      await quarantine[action](mid, 'expired')
      return null
    } catch (error) {
      // Somebody decided meanwhile.
      return error instanceof UserError ? null : `MID ${mid}: ${errorText(error)}`
    }
  }

  const sweep = async (signal: AbortSignal): Promise<void> => {
    const now = clock.now()
    let trouble: string | null = null
    for (const held of quarantine.list()) {
      if (signal.aborted) return
      if (held.until <= now) trouble = (await end(held.entry.mid, held.quarantine)) ?? trouble
    }
    if (trouble !== null) throw new Error(trouble)
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await sweep(signal)
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
