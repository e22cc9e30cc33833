import type { QueuedRecipient } from '../store/spool.ts'

interface Destination {
  hop: string
  jobs: number
  /** MIDs under way, with the number of their recipients. */
  readonly claims: Map<number, number>
  claimed: number
}

/** What shares connections and back-off: one domain, or all that a smarthost serves. */
interface Hop {
  jobs: number
  failures: number
  /** A job has got through to it. */
  proven: boolean
  /** Domains with something due, in order of their turns. */
  readonly ready: Set<string>
}

/** Domains of one hop that are looked at in one turn: those at their own limits must not make a turn long. */
const LOOK = 50
/** Jobs for a hop that nothing has got through to yet: a dead one must not be tried a hundred times at once. */
const UNPROVEN_JOBS = 5

/**
 * What the queue knows of domains in memory: whose turn it is, which hops are down until when, what is under way. Only
 * domains with something due or under way are held.
 */
export const createDestinations = (policy: {
  readonly hopOf: (domain: string) => string
  /** Jobs at the same time for the hop of a domain. */
  readonly hopLimit: (domain: string) => number
}) => {
  const known = new Map<string, Destination>()
  const hops = new Map<string, Hop>()
  /** Hops in order of their turns. */
  const ready = new Set<string>()
  const down = new Map<string, number>()
  /** Domains that have had their share for now. */
  const held = new Map<string, number>()

  const of = (domain: string): Destination => {
    let d = known.get(domain)
    if (!d) known.set(domain, (d = { hop: policy.hopOf(domain), jobs: 0, claims: new Map(), claimed: 0 }))
    return d
  }
  const hopAt = (key: string): Hop => {
    let h = hops.get(key)
    if (!h) hops.set(key, (h = { jobs: 0, failures: 0, proven: false, ready: new Set() }))
    return h
  }
  const hopOf = (domain: string): Hop => hopAt(of(domain).hop)

  const makeReady = (domain: string): void => {
    if (held.has(domain)) return
    const d = of(domain)
    hopAt(d.hop).ready.add(domain)
    if (!down.has(d.hop)) ready.add(d.hop)
  }
  const forget = (key: string): void => {
    const h = hops.get(key)
    if (h && h.jobs === 0 && h.ready.size === 0 && h.failures === 0 && !down.has(key)) hops.delete(key)
  }
  /** Recipients that are no longer under way. */
  const release = (domain: string, rows: readonly QueuedRecipient[]): Hop => {
    const d = of(domain)
    const h = hopAt(d.hop)
    d.jobs--
    h.jobs--
    d.claimed -= rows.length
    for (const { mid } of rows) d.claims.delete(mid)
    return h
  }
  const wake = (now: number): void => {
    for (const [key, until] of down)
      if (until <= now) {
        down.delete(key)
        ready.add(key)
      }
    for (const [domain, until] of held)
      if (until <= now) {
        held.delete(domain)
        makeReady(domain)
      }
  }

  return {
    ready: makeReady,
    down: (domain: string, until: number): void => {
      const { hop } = of(domain)
      hopAt(hop).ready.add(domain)
      ready.delete(hop)
      down.set(hop, Math.max(until, down.get(hop) ?? 0))
    },
    /** Nothing of it is tried before `until`; that is no failure. */
    hold: (domain: string, until: number): void => {
      hopOf(domain).ready.delete(domain)
      held.set(domain, until)
    },
    retry: (domain: string): void => {
      const { hop } = of(domain)
      if (down.delete(hop)) hopAt(hop).failures = 0
      held.delete(domain)
      makeReady(domain)
    },
    get size(): number {
      return known.size
    },
    /** Forgets what was down; routes may have changed, so that domains may belong to other hops. */
    retryAll: (): void => {
      const domains = new Set(held.keys())
      for (const [domain] of known) domains.add(domain)
      down.clear()
      held.clear()
      ready.clear()
      for (const h of hops.values()) {
        h.failures = 0
        h.ready.clear()
      }
      for (const domain of domains) {
        const d = of(domain)
        if (d.jobs === 0) d.hop = policy.hopOf(domain)
        makeReady(domain)
      }
      for (const key of [...hops.keys()]) forget(key)
    },
    nextRetry: (): number | null => {
      let next = Infinity
      for (const until of down.values()) next = Math.min(next, until)
      for (const until of held.values()) next = Math.min(next, until)
      return next === Infinity ? null : next
    },
    /** Every hop gets a turn before one gets its second, and so do the domains of a hop. */
    *turns(now: number): Generator<string> {
      wake(now)
      // A hop that got a job goes to the end of the line; the walk meets it again after all others.
      for (const key of ready) {
        const h = hopAt(key)
        let looked = 0
        let started = false
        for (const domain of h.ready) {
          const limit = policy.hopLimit(domain)
          if (looked++ >= LOOK || h.jobs >= (h.proven ? limit : Math.min(limit, UNPROVEN_JOBS))) break
          const before = h.jobs
          yield domain
          if (h.jobs === before) continue
          started = true
          if (h.ready.delete(domain)) h.ready.add(domain)
          break
        }
        if (h.ready.size === 0) {
          ready.delete(key)
          forget(key)
        } else if (started && ready.delete(key)) ready.add(key)
      }
    },
    /** Nothing of it is due. */
    settled: (domain: string): void => {
      const d = of(domain)
      hopAt(d.hop).ready.delete(domain)
      if (d.jobs === 0) known.delete(domain)
    },
    jobs: (domain: string): number => of(domain).jobs,
    claims: (domain: string): number => of(domain).claimed,
    claimed: (row: QueuedRecipient): boolean => known.get(row.domain)?.claims.has(row.mid) ?? false,
    /** Its last attempt failed: one job finds out whether it is back. */
    probing: (domain: string): boolean => hopOf(domain).failures > 0,
    claim: (domain: string, rows: readonly QueuedRecipient[]): void => {
      const d = of(domain)
      const h = hopAt(d.hop)
      d.jobs++
      h.jobs++
      d.claimed += rows.length
      for (const { mid } of rows) d.claims.set(mid, (d.claims.get(mid) ?? 0) + 1)
      if (h.failures > 0) ready.delete(d.hop)
    },
    /** Ends a job that did not try the domain's hosts. */
    release: (domain: string, rows: readonly QueuedRecipient[]): void => {
      release(domain, rows)
      makeReady(domain)
    },
    /** Ends a job; the number of its hop's failures in a row. Jobs that fail side by side are one failure. */
    done: (domain: string, rows: readonly QueuedRecipient[], failed: boolean): number => {
      const h = release(domain, rows)
      h.proven = !failed
      if (!failed) h.failures = 0
      else if (!down.has(of(domain).hop)) h.failures++
      return h.failures
    },
  }
}
