import type { Clock } from '../../src/core/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that moves only when told. `advance` wakes sleepers in order and lets their continuations run. */
export class FakeClock implements Clock {
  #now: number
  readonly #start: number
  #sleepers: Sleeper[] = []

  constructor(start = '2022-03-30T00:20:10Z') {
    this.#now = this.#start = Date.parse(start)
  }

  now(): Date {
    return new Date(this.#now)
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper)
        reject(signal?.reason as Error)
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper: Sleeper = { at: this.#now + ms, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const next = this.#sleepers.filter((s) => s.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#sleepers = this.#sleepers.filter((s) => s !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }

  /** Sleepers that wait now, for tests that must know that something is asleep. */
  get waiting(): number {
    return this.#sleepers.length
  }
}

/** Lets every pending promise continuation and I/O callback run. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}
