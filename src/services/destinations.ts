import type { QueuedRecipient } from '../store/spool.ts'

interface Destination {
  jobs: number
  /** MIDs under way, with the number of their recipients. */
  readonly claims: Map<number, number>
  claimed: number
  failures: number
}

/**
 * What the queue knows of domains in memory: whose turn it is, which are down until when, what is under way. Only domains
 * with something due or under way are held.
 */
export const createDestinations = () => {
  const known = new Map<string, Destination>()
  /** In order of their turns. */
  const ready = new Set<string>()
  const down = new Map<string, number>()

  const of = (domain: string): Destination => {
    let d = known.get(domain)
    if (!d) known.set(domain, (d = { jobs: 0, claims: new Map(), claimed: 0, failures: 0 }))
    return d
  }
  /** Recipients that are no longer under way. */
  const release = (domain: string, rows: readonly QueuedRecipient[]): Destination => {
    const d = of(domain)
    d.jobs--
    d.claimed -= rows.length
    for (const { mid } of rows) d.claims.delete(mid)
    return d
  }

  return {
    ready: (domain: string): void => {
      if (!down.has(domain)) ready.add(domain)
    },
    down: (domain: string, until: number): void => {
      ready.delete(domain)
      down.set(domain, Math.max(until, down.get(domain) ?? 0))
    },
    retry: (domain: string): void => {
      if (down.delete(domain)) of(domain).failures = 0
      ready.add(domain)
    },
    get size(): number {
      return known.size
    },
    retryAll: (): void => {
      for (const domain of down.keys()) {
        ready.add(domain)
        of(domain).failures = 0
      }
      down.clear()
    },
    nextRetry: (): number | null => (down.size === 0 ? null : Math.min(...down.values())),
    /** Every domain gets a turn before one gets its second. */
    *turns(now: number): Generator<string> {
      for (const [domain, until] of down)
        if (until <= now) {
          down.delete(domain)
          ready.add(domain)
        }
      // A domain that got a job goes to the end of the line; the walk meets it again after all others.
      for (const domain of ready) {
        const before = of(domain).jobs
        yield domain
        if (of(domain).jobs > before && ready.delete(domain)) ready.add(domain)
      }
    },
    /** Nothing of it is due. */
    settled: (domain: string): void => {
      ready.delete(domain)
      if (of(domain).jobs === 0) known.delete(domain)
    },
    jobs: (domain: string): number => of(domain).jobs,
    claims: (domain: string): number => of(domain).claimed,
    claimed: (row: QueuedRecipient): boolean => known.get(row.domain)?.claims.has(row.mid) ?? false,
    /** Its last attempt failed: one job finds out whether it is back. */
    probing: (domain: string): boolean => of(domain).failures > 0,
    claim: (domain: string, rows: readonly QueuedRecipient[]): void => {
      const d = of(domain)
      d.jobs++
      d.claimed += rows.length
      for (const { mid } of rows) d.claims.set(mid, (d.claims.get(mid) ?? 0) + 1)
      if (d.failures > 0) ready.delete(domain)
    },
    /** Ends a job that did not try the domain's hosts. */
    release: (domain: string, rows: readonly QueuedRecipient[]): void => {
      release(domain, rows)
      if (!down.has(domain)) ready.add(domain)
    },
    /** Ends a job; the number of failures in a row. Jobs that fail side by side are one failure. */
    done: (domain: string, rows: readonly QueuedRecipient[], failed: boolean): number => {
      const d = release(domain, rows)
      if (!failed) d.failures = 0
      else if (!down.has(domain)) d.failures++
      return d.failures
    },
  }
}
