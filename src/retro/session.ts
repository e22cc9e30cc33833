import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { errorText } from '../core/errors.ts'
import type { EventBus } from '../events/bus.ts'
import type { WatchStore } from '../store/repositories/watch.ts'
import { readRegistration, refusal, tokenRefused } from './answer.ts'
import type { ApiAnswer, Registration, RetroApi } from './ports.ts'
import type { ServiceClock } from './service-clock.ts'

/** The service did not do what it was asked; already told in the log. */
export class ServiceTrouble extends Error {
  override name = 'ServiceTrouble'
  readonly retryAfterMs: number
  readonly status: number | null
  constructor(reason: string, answer?: ApiAnswer) {
    super(reason)
    this.retryAfterMs = answer?.retryAfterMs ?? 0
    this.status = answer?.status ?? null
  }
}

export interface RetroSession {
  /** The stored registration, or a new one. @throws ServiceTrouble */
  registered(signal: AbortSignal): Promise<Registration>
  /**
   * One exchange under the registration. A refused token is renewed and the same request sent once more.
   * `failed` tells in the log what went wrong. @throws ServiceTrouble
   */
  call(
    send: (registration: Registration, signal: AbortSignal) => Promise<ApiAnswer>,
    failed: (reason: string) => void,
    signal: AbortSignal,
  ): Promise<ApiAnswer>
}

const TIME_OUT_MS = 30_000

/** Registration and token renewal, in the order of the reference's `ecs` log. */
export const createRetroSession = (deps: {
  readonly clock: Clock
  readonly events: EventBus
  readonly api: RetroApi
  readonly store: WatchStore
  readonly serviceClock: ServiceClock
}): RetroSession => {
  const { clock, events, api, store, serviceClock } = deps

  const exchange = async (
    send: (signal: AbortSignal) => Promise<ApiAnswer>,
    failed: (reason: string) => void,
    signal: AbortSignal,
  ): Promise<ApiAnswer> => {
    try {
      const answer = await withDeadline(clock, TIME_OUT_MS, signal, send)
      serviceClock.saw(answer)
      return answer
    } catch (error) {
      signal.throwIfAborted()
      const reason = `${errorText(error).replace(/\.+$/, '')}.`
      failed(reason)
      throw new ServiceTrouble(reason)
    }
  }

  const refused = (reason: string): void => events.publish({ type: 'ecs.registration-failed', reason })

  /** Where to register; there may be no service at all just now. */
  const address = (): string => {
    try {
      return api.registerUrl()
    } catch (error) {
      const reason = `${errorText(error)}.`
      refused(reason)
      throw new ServiceTrouble(reason)
    }
  }

  const register = async (signal: AbortSignal): Promise<Registration> => {
    const url = address()
    events.publish({ type: 'ecs.registering', url, payload: api.registerPayload() })
    const answer = await exchange((s) => api.register(s), refused, signal)
    const good = answer.status === 201
    // The body of a 201 holds the token: it never gets into an event.
    events.publish({ type: 'ecs.http', url: answer.url, status: answer.status, response: good ? null : answer.text })
    const registration = good ? readRegistration(answer.body) : null
    if (!registration?.ok) {
      const reason = registration === null ? refusal(answer) : registration.error
      refused(reason)
      throw new ServiceTrouble(reason, answer)
    }
    events.publish({ type: 'ecs.registered' })
    await store.register({ ...registration.value, registerUrl: url })
    events.publish({ type: 'ecs.token-stored' })
    events.publish({ type: 'ecs.registration-status-updated' })
    return registration.value
  }

  const registered = async (signal: AbortSignal): Promise<Registration> => {
    const stored = store.registration()
    return stored?.registerUrl === address() ? stored : await register(signal)
  }

  return {
    registered,
    call: async (send, failed, signal) => {
      const told = (answer: ApiAnswer): string => {
        events.publish({ type: 'ecs.http', url: answer.url, status: answer.status, response: answer.text })
        const reason = refusal(answer)
        failed(reason)
        return reason
      }
      const registration = await registered(signal)
      let answer = await exchange((s) => send(registration, s), failed, signal)
      if (tokenRefused(answer)) {
        told(answer)
        const renewed = await register(signal)
        events.publish({ type: 'ecs.token-retry' })
        answer = await exchange((s) => send(renewed, s), failed, signal)
      }
      if (answer.status < 200 || answer.status > 299) throw new ServiceTrouble(told(answer), answer)
      return answer
    },
  }
}
