/** Numbered lanes for work that runs side by side; a log line shows the lane that really did it. */
export interface Lanes {
  /** Waits for a free lane. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<{ readonly lane: number; readonly free: () => void }>
}

export const createLanes = (first: number, count: number): Lanes => {
  // Taken from the front, given back at the end: the numbers go round as in a pool of threads.
  const free = Array.from({ length: count }, (_, i) => first + i)
  const waiting: (() => void)[] = []
  return {
    take: async (signal) => {
      signal.throwIfAborted()
      while (free.length === 0)
        await new Promise<void>((resolve, reject) => {
          const wake = (): void => {
            signal.removeEventListener('abort', abort)
            resolve()
          }
          const abort = (): void => {
            waiting.splice(waiting.indexOf(wake), 1)
            reject(signal.reason as Error)
          }
          waiting.push(wake)
          signal.addEventListener('abort', abort, { once: true })
        })
      const lane = free.shift() as number
      let held = true
      return {
        lane,
        free: () => {
          if (!held) return
          held = false
          free.push(lane)
          waiting.shift()?.()
        },
      }
    },
  }
}
