import type { Clock } from '../../core/clock.ts'
import { createLru } from '../../core/lru.ts'
import type { FirstSeenStore } from '../../store/repositories/intel.ts'
import { canonicalHost } from '../url/canonical.ts'
import { registrable } from '../url/suffix.ts'

const DAY_MS = 86_400_000
/** From here on a domain is mature: no finer age is told (`30 days (or greater)`). */
export const MATURE_DAYS = 30
const KNOWN = 50_000
const FORGET_DAYS = 400
/** Read again after so long, in case the table was changed by somebody else. */
const UNSEEN_MS = 60_000

/** How long this gateway knows a sender's domain. */
export interface Maturity {
  /**
   * Days since the domain was first seen here; null = cannot be told: while the gateway itself is younger than 30 days,
   * a domain that is new to it need not be new.
   */
  days(domain: string): number | null
  /** Notes the domains of a message. */
  note(domains: readonly string[]): Promise<void>
}

/** The domain whose age counts; null for addresses and bare suffixes. */
const organisation = (domain: string): string | null => {
  const host = canonicalHost(domain)
  return host === '' ? null : registrable(host).domain
}

export const createMaturity = (store: FirstSeenStore, clock: Clock): Maturity => {
  // Noted within the last day: the table need not be written for each message.
  const noted = createLru<Date>(KNOWN, clock)
  const organisations = createLru<{ readonly name: string | null }>(KNOWN, clock)
  /** When domains were first seen, and since when that is noted at all: neither changes once it is known. */
  const seen = createLru<Date>(KNOWN, clock)
  let since: Date | null = null
  /** Not known when they were last looked up. Only `note` writes, and forgets what it makes untrue. */
  const unseen = createLru<object>(KNOWN, clock)
  let pruned = -Infinity
  const organisationOf = (domain: string): string | null => {
    let known = organisations.get(domain)
    if (!known) organisations.set(domain, (known = { name: organisation(domain) }), DAY_MS)
    return known.name
  }
  const firstSeen = (name: string): Date | null => {
    if (unseen.get(name)) return null
    const known = seen.get(name) ?? store.seen(name)
    if (known) seen.set(name, known, DAY_MS)
    else unseen.set(name, {}, UNSEEN_MS)
    return known
  }
  const ageOf = (at: Date): number => Math.max(0, Math.floor((clock.now().getTime() - at.getTime()) / DAY_MS))
  return {
    days: (domain) => {
      const name = organisationOf(domain)
      const first = name === null ? null : firstSeen(name)
      // With the first domain the noting has begun.
      const began = first === null ? null : (since ??= store.since())
      if (began === null || first === null) return null
      const days = ageOf(first)
      const watching = (first.getTime() - began.getTime()) / DAY_MS
      return days >= MATURE_DAYS || watching >= MATURE_DAYS ? days : null
    },
    note: async (domains) => {
      const now = clock.now()
      const fresh = [...new Set(domains.map(organisationOf))].filter((d): d is string => d !== null && !noted.get(d))
      if (fresh.length === 0) return
      for (const d of fresh) noted.set(d, now, DAY_MS)
      try {
        await store.note(fresh, now)
      } catch (error) {
        // Not noted after all: the next message tries again.
        for (const d of fresh) noted.delete(d)
        throw error
      } finally {
        for (const d of fresh) unseen.delete(d)
      }
      if (now.getTime() - pruned > DAY_MS) {
        pruned = now.getTime()
        await store.prune(new Date(now.getTime() - FORGET_DAYS * DAY_MS))
      }
    },
  }
}
