import type { Clock } from './clock.ts'
import { Fault } from './errors.ts'

/** Calls `wake` after `ms`; what it answers cancels that. */
export const startTimer = (clock: Clock, ms: number, wake: () => void): (() => void) => {
  if (clock.after) return clock.after(ms, wake)
  const cancelled = new AbortController()
  clock.sleep(ms, cancelled.signal).then(wake, () => undefined)
  return () => cancelled.abort()
}

/**
 * Runs `work` with a signal that aborts with the caller's or after `ms`, and answers by then even when `work` does not
 * listen to it. @throws Fault TIMED_OUT
 */
export const withDeadline = async <T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted()
  const either = new AbortController()
  // One listener and one timer, both taken away again: messages pass here several times each.
  let stop: (reason: Error) => void = () => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = (reason) => {
      either.abort(reason)
      reject(reason)
    }
  })
  const forward = (): void => stop(signal.reason as Error)
  signal.addEventListener('abort', forward, { once: true })
  const cancel = startTimer(clock, ms, () => stop(new Fault('TIMED_OUT', `no answer within ${ms / 1000} s`)))
  try {
    return await Promise.race([work(either.signal), stopped])
  } finally {
    cancel()
    signal.removeEventListener('abort', forward)
  }
}

/** Until all of it has ended, however it ended, or `ms` are over: what is late goes on by itself. */
export const settledWithin = async (clock: Clock, ms: number, work: readonly Promise<unknown>[]): Promise<void> => {
  if (work.length === 0) return
  let cancel = (): void => undefined
  const late = new Promise<void>((resolve) => {
    cancel = startTimer(clock, ms, resolve)
  })
  await Promise.race([Promise.allSettled(work), late])
  cancel()
}
