import type { Clock } from '../core/clock.ts'

interface Window {
  readonly ends: number
  taken: number
}

/** Recipients a domain may have in a span of time (destconfig). Only domains with such a limit are held. */
export const createRecipientQuota = (clock: Pick<Clock, 'now'>) => {
  const windows = new Map<string, Window>()
  const current = (domain: string): Window | undefined => {
    const window = windows.get(domain)
    if (!window || window.ends > clock.now().getTime()) return window
    windows.delete(domain)
    return undefined
  }
  return {
    /** Recipients that may still go now. */
    room: (domain: string, max: number): number => Math.max(0, max - (current(domain)?.taken ?? 0)),
    /** When there is room again. */
    freeAt: (domain: string): number => current(domain)?.ends ?? clock.now().getTime(),
    take: (domain: string, recipients: number, minutes: number): void => {
      const window = current(domain) ?? { ends: clock.now().getTime() + minutes * 60_000, taken: 0 }
      window.taken += recipients
      windows.set(domain, window)
    },
  }
}
