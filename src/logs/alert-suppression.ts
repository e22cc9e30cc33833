/** Tells duplicates of an alert apart, so that a fault that repeats every second does not send a mail every second. */
export interface Suppression {
  /** May this alert be mailed now? `suppressed` = how many equal ones were held back since the last mail. */
  admit(key: string, now: number): { readonly mail: boolean; readonly suppressed: number }
}

interface Seen {
  readonly mailedAt: number
  readonly intervalMs: number
  readonly suppressed: number
}

/** However many different alerts there are; the least recently raised is forgotten first. */
const MAX_KEYS = 1000

/** `initialSeconds` after a mail its duplicates are mailed again; the wait doubles up to `maximumSeconds` while they go on. */
export const createSuppression = (
  limits: () => { readonly initialSeconds: number; readonly maximumSeconds: number },
): Suppression => {
  const seen = new Map<string, Seen>()
  const put = (key: string, value: Seen): void => {
    seen.delete(key)
    seen.set(key, value)
    if (seen.size > MAX_KEYS) for (const oldest of [...seen.keys()].slice(0, 1)) seen.delete(oldest)
  }
  return {
    admit: (key, now) => {
      const initial = limits().initialSeconds * 1000
      const maximum = Math.max(initial, limits().maximumSeconds * 1000)
      const last = seen.get(key)
      const quiet = last ? now - last.mailedAt : Infinity
      // A clock that went back must not silence alerts for as long as it went.
      if (last && quiet >= 0 && quiet < last.intervalMs) {
        put(key, { ...last, suppressed: last.suppressed + 1 })
        return { mail: false, suppressed: last.suppressed + 1 }
      }
      const goesOn = last !== undefined && quiet >= 0 && quiet < 2 * maximum
      put(key, { mailedAt: now, intervalMs: goesOn ? Math.min(maximum, last.intervalMs * 2) : initial, suppressed: 0 })
      return { mail: true, suppressed: last?.suppressed ?? 0 }
    },
  }
}
