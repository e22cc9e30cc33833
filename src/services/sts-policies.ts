import { domainToASCII } from 'node:url'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import { createLru } from '../core/lru.ts'
import type { Resolver } from '../core/resolver.ts'
import type { EventBus } from '../events/bus.ts'
import { parseStsPolicy, stsId } from '../mail/delivery/mta-sts.ts'
import type { StoredStsPolicy, StsPolicyStore } from '../store/sts-policies.ts'

export interface StsFetch {
  /** The text at `mta-sts.<domain>`. @throws Fault UPSTREAM_UNAVAILABLE or TIMED_OUT */
  get(domain: string, signal: AbortSignal): Promise<string>
}

export interface StsPolicies {
  /** The policy that holds for mail to a domain now; null = none. */
  policyOf(domain: string, signal: AbortSignal): Promise<StoredStsPolicy | null>
}

export interface StsPoliciesDeps {
  readonly env: Env
  readonly resolver: Resolver
  readonly events: EventBus
  readonly fetch: StsFetch
  readonly store: StsPolicyStore
  /** Policies that are kept; 10,000 where it is missing. */
  readonly limit?: number
}

const MAX_POLICIES = 10_000
/** A policy that could not be fetched is not asked for again for so long (RFC 8461 §3.3). */
const AGAIN_MS = 300_000
/** One that is in use is fetched anew after a day, long before it ends (§10.2). */
const RENEW_MS = 86_400_000

/** Strings of one TXT record belong together. */
const textsOf = (answer: unknown): readonly string[] =>
  Array.isArray(answer) ? answer.flatMap((r: unknown) => (Array.isArray(r) ? [r.join('')] : [])) : []

/** Finds, keeps and renews policies (RFC 8461 §3, §5.1): one that was fetched holds until its end whatever DNS says meanwhile. */
export const createStsPolicies = (deps: StsPoliciesDeps): StsPolicies => {
  const { env, resolver, events, fetch, store, limit = MAX_POLICIES } = deps
  const { clock } = env
  const known = new Map<string, StoredStsPolicy>()
  // The oldest first, as they come while it runs: what goes beyond the limit goes from there.
  for (const policy of store.load(limit).toReversed()) known.set(policy.domain, policy)
  /** By domain and id. */
  const failed = createLru<object>(limit, clock)
  const asking = new Map<string, Promise<StoredStsPolicy | null>>()

  const held = (domain: string): StoredStsPolicy | null => {
    const policy = known.get(domain)
    return policy && policy.expiresAt > clock.now() ? policy : null
  }

  const keep = async (policy: StoredStsPolicy): Promise<void> => {
    known.delete(policy.domain)
    known.set(policy.domain, policy)
    const dropped = [...known.keys()].slice(0, Math.max(0, known.size - limit))
    for (const domain of dropped) known.delete(domain)
    try {
      await store.put(policy)
      if (dropped.length > 0) await store.remove(dropped)
    } catch (error) {
      // It holds until the next start; delivery goes on.
      events.publish({ type: 'system.warning', text: `An MTA-STS policy is not stored: ${errorText(error)}` })
    }
  }

  const idOf = async (domain: string): Promise<string | null> => {
    try {
      return stsId(textsOf(await resolver.resolve(`_mta-sts.${domain}`, 'TXT')))
    } catch {
      return null
    }
  }

  const fetched = async (domain: string, id: string, signal: AbortSignal): Promise<StoredStsPolicy | null> => {
    const old = held(domain)
    try {
      const { mode, mx, maxAgeSeconds } = parseStsPolicy(await fetch.get(domain, signal))
      const fetchedAt = clock.now()
      const expiresAt = new Date(fetchedAt.getTime() + maxAgeSeconds * 1000)
      const policy = { domain, id, mode, mx, fetchedAt, expiresAt }
      await keep(policy)
      events.publish({ type: 'delivery.sts-policy', domain, mode, id, mx, expiresAt })
      return policy
    } catch (error) {
      signal.throwIfAborted()
      failed.set(`${domain} ${id}`, {}, AGAIN_MS)
      events.publish({
        type: 'delivery.sts-failed',
        domain,
        error: errorText(error),
        until: old?.expiresAt ?? null,
      })
      return old
    }
  }

  const find = async (domain: string, signal: AbortSignal): Promise<StoredStsPolicy | null> => {
    const id = await idOf(domain)
    const old = held(domain)
    const fresh = old !== null && clock.now().getTime() - old.fetchedAt.getTime() < RENEW_MS
    // Without a record nothing new is looked for; what holds, holds on.
    if (id === null || (old?.id === id && fresh) || failed.get(`${domain} ${id}`)) return old
    return await fetched(domain, id, signal)
  }

  return {
    policyOf: async (name, signal) => {
      const domain = domainToASCII(name).toLowerCase()
      if (domain === '' || !domain.includes('.')) return null
      let answer = asking.get(domain)
      if (!answer) {
        answer = find(domain, signal).finally(() => asking.delete(domain))
        asking.set(domain, answer)
      }
      // Whoever asked first may have been stopped; the others ask themselves.
      const policy = await answer.catch(async () => {
        signal.throwIfAborted()
        return await find(domain, signal)
      })
      return policy?.mode === 'none' ? null : policy
    },
  }
}
