import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { createLru } from '../core/lru.ts'
import type { Resolver } from '../core/resolver.ts'

type DomainState = 'exists' | 'does not exist' | 'has a null MX' | 'could not be resolved'

const KEEP_MS = 300_000
const KEEP_FAILURE_MS = 30_000
const KEPT = 10_000
const DEADLINE_MS = 5000
const ABSENT = new Set(['ENOTFOUND', 'ENODATA'])

/** Whether mail can go back to a domain: MX, else an address (RFC 5321 §5.1). Never rejects. */
export const createSenderDomains = (resolver: Resolver, clock: Clock) => {
  const cache = createLru<{ readonly state: DomainState }>(KEPT, clock)

  const ask = async (domain: string): Promise<DomainState> => {
    for (const type of ['MX', 'A', 'AAAA']) {
      try {
        const answer = await resolver.resolve(domain, type)
        if (!Array.isArray(answer) || answer.length === 0) continue
        const [first] = answer as readonly unknown[]
        // RFC 7505: the domain says that it has no mail.
        const isNull = type === 'MX' && answer.length === 1 && (first as { exchange?: string }).exchange === ''
        return isNull ? 'has a null MX' : 'exists'
      } catch (error) {
        if (!ABSENT.has((error as { code?: string }).code ?? '')) return 'could not be resolved'
      }
    }
    return 'does not exist'
  }

  return {
    state: async (domain: string, signal: AbortSignal): Promise<DomainState> => {
      const key = domain.toLowerCase()
      const known = cache.get(key)
      if (known) return known.state
      const state = await withDeadline(clock, DEADLINE_MS, signal, () => ask(key)).catch(
        (): DomainState => 'could not be resolved',
      )
      cache.set(key, { state }, state === 'could not be resolved' ? KEEP_FAILURE_MS : KEEP_MS)
      return state
    },
  }
}
export type SenderDomains = ReturnType<typeof createSenderDomains>

/** The answer to a sender to whom no mail could go back. */
export const senderRefusal = (sender: string, why: Exclude<DomainState, 'exists'>): string => {
  switch (why) {
    case 'does not exist':
      return `553 5.1.8 Domain of sender address <${sender}> does not exist`
    case 'has a null MX':
      // RFC 7505 §4.2.
      return `550 5.7.27 Domain of sender address <${sender}> has a null MX: it takes no mail`
    case 'could not be resolved':
      return `451 4.1.8 Domain of sender address <${sender}> does not resolve`
  }
}
