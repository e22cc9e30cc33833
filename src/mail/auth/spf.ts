import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import type { Resolver } from '../../core/resolver.ts'
import type { SpfResult } from '../../events/authentication.ts'
import { createSpfCache } from './spf-cache.ts'
import type { SpfCacheStatus, SpfVerdict } from './spf-cache.ts'

const RESULTS: Readonly<Record<string, SpfResult>> = {
  none: 'None',
  pass: 'Pass',
  neutral: 'Neutral',
  softfail: 'SoftFail',
  fail: 'Fail',
  temperror: 'TempError',
  permerror: 'PermError',
}

export interface SpfQuery {
  readonly ip: string
  readonly helo: string
  /** `user@domain` or `postmaster@helo`. */
  readonly address: string
  readonly hostname: string
}

export interface SpfChecker {
  check(query: SpfQuery, signal: AbortSignal): Promise<SpfVerdict & { readonly fromCache: boolean }>
  status(): SpfCacheStatus
}

export const createSpfChecker = (deps: {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly timeoutMs: number
}): SpfChecker => {
  const cache = createSpfCache(deps.clock)
  return {
    status: cache.status,
    check: async (query, signal) => {
      const key = `${query.ip} ${query.helo} ${query.address}`.toLowerCase()
      const known = cache.get(key)
      if (known) return { ...known, fromCache: true }
      const started = deps.clock.monotonic()
      const verdict = await withDeadline(deps.clock, deps.timeoutMs, signal, () => verify(query, deps.resolver)).catch(
        (error: unknown): SpfVerdict => {
          if (signal.aborted) throw error
          return tempError(query)
        },
      )
      cache.add(key, verdict, (deps.clock.monotonic() - started) / 1000)
      return { ...verdict, fromCache: false }
    },
  }
}

const domainOfIdentity = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()

const tempError = (query: SpfQuery): SpfVerdict => ({
  result: 'TempError',
  recordFound: false,
  info: `spf=temperror smtp.mailfrom=${domainOfIdentity(query.address)}`,
  domain: domainOfIdentity(query.address),
})

const verify = async (query: SpfQuery, resolver: Resolver): Promise<SpfVerdict> => {
  const { spf } = await import('mailauth/lib/spf/index.js')
  const answer = await spf({
    ip: query.ip,
    helo: query.helo,
    sender: query.address,
    mta: query.hostname,
    resolver: (name: string, type: string) => resolver.resolve(name, type) as Promise<string[]>,
  })
  return {
    result: RESULTS[answer.status.result] ?? 'TempError',
    recordFound: answer.rr !== undefined,
    info: answer.info,
    domain: answer.domain,
  }
}
