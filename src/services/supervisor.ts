import type { ConfigReader } from '../config/section.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { Service } from './service.ts'

/** What the supervisor needs of a service; those without a health of their own may leave it out. */
export type Supervised = Pick<Service, 'name' | 'start' | 'stop'>

export interface Supervisor {
  /** In order; rejects with the first that cannot start, which ends those that had. */
  start(config: ConfigReader): Promise<void>
  /** In reverse. One that does not stop in time is told of and left; the others still stop. */
  stop(graceMs: number): Promise<void>
}

/** Longer than the grace a service is given, so that it can end what it must. */
const EXTRA_MS = 5000

export const createSupervisor = (deps: {
  readonly env: Env
  readonly events: EventBus
  readonly services: readonly Supervised[]
}): Supervisor => {
  const { events, services } = deps
  const { clock } = deps.env
  const ending = new AbortController()
  let started: Supervised[] = []

  const stopOne = async (service: Supervised, graceMs: number): Promise<void> => {
    const done = new AbortController()
    const late = clock.sleep(graceMs + EXTRA_MS, done.signal).then(
      () => events.publish({ type: 'system.warning', text: `${service.name} did not stop in time` }),
      () => undefined,
    )
    try {
      await Promise.race([service.stop(graceMs), late])
    } catch (error) {
      events.publish({ type: 'system.warning', text: `${service.name} did not stop cleanly: ${errorText(error)}` })
    } finally {
      done.abort(new Error('stopped'))
    }
  }

  const stop = async (graceMs: number): Promise<void> => {
    const running = started
    started = []
    for (const service of running.reverse()) await stopOne(service, graceMs)
    ending.abort(new Error('the appliance has stopped'))
  }

  return {
    start: async (config) => {
      for (const service of services) {
        started.push(service)
        await service.start(config, ending.signal)
      }
    },
    stop,
  }
}
