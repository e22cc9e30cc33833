import type { Clock } from './clock.ts'
import { Fault } from './errors.ts'

const abortion = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

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
  const late = new AbortController()
  const finished = new AbortController()
  clock.sleep(ms, finished.signal).then(
    () => late.abort(new Fault('TIMED_OUT', `no answer within ${ms / 1000} s`)),
    () => undefined,
  )
  const either = AbortSignal.any([signal, late.signal])
  try {
    return await Promise.race([work(either), abortion(either)])
  } finally {
    finished.abort()
  }
}
