import { callAhead as section } from '../config/sections/call-ahead.ts'
import type { CallAheadProfile } from '../config/sections/call-ahead.ts'
import { delivery } from '../config/sections/delivery.ts'
import { interfaces } from '../config/sections/interfaces.ts'
import { system } from '../config/sections/system.ts'
import type { ConfigReader } from '../config/section.ts'
import { withDeadline } from '../core/deadline.ts'
import type { Env } from '../core/env.ts'
import { errorText } from '../core/errors.ts'
import { createLru } from '../core/lru.ts'
import type { Lru } from '../core/lru.ts'
import { splitAddress } from '../core/mailbox-path.ts'
import type { Resolver } from '../core/resolver.ts'
import type { EventBus } from '../events/bus.ts'
import { nextHops } from '../mail/delivery/next-hop.ts'
import { parseRouteHost } from '../mail/delivery/route.ts'
import type { Route } from '../mail/delivery/route.ts'
import { resolveSource } from '../mail/delivery/source.ts'
import { tlsDemand } from '../mail/delivery/tls-demand.ts'
import { ConnectFailure } from '../mail/delivery/transport.ts'
import type { AttemptResult, Failure, SmtpClient, SmtpTarget } from '../mail/delivery/transport.ts'
import { createDeliveryRouting } from './delivery-routing.ts'
import { createRecipientLimit } from './recipient-limit.ts'

/** What a next hop says of a recipient. `failed`: nothing could be learnt, `reason` says why. */
export type CallAheadAnswer =
  | { readonly kind: 'valid' }
  | { readonly kind: 'invalid' | 'temporary'; readonly code: string; readonly status: string }
  | { readonly kind: 'failed'; readonly reason: string }

export interface CallAhead {
  /** From the cache of the profile, or from the host; by the profile's time-out at the latest. Never rejects. */
  validate(profile: string, recipient: string): Promise<CallAheadAnswer>
  /** Asks the host, past the cache. Never rejects. */
  test(profile: CallAheadProfile, recipient: string): Promise<CallAheadAnswer>
  /** Forgets the answers of all profiles, or of one; how many. */
  flush(profile?: string): number
  close(): void
}

export interface CallAheadDeps {
  readonly env: Env
  readonly config: ConfigReader
  readonly events: EventBus
  readonly resolver: Resolver
  readonly smtp: SmtpClient
  readonly mailboxExists: (address: string) => Promise<boolean>
  readonly ownAddresses: () => readonly string[]
}

/** What one profile holds; a change of its settings begins a new one. */
interface Desk {
  readonly profile: CallAheadProfile
  readonly cache: Lru<CallAheadAnswer>
  /** Domains whose hosts did not answer, for a while: the next recipient of theirs is not asked about. */
  readonly down: Lru<CallAheadAnswer>
  /** Several clients that ask for one recipient share the answer. */
  readonly pending: Map<string, Promise<CallAheadAnswer>>
  active: number
  readonly waiting: Set<() => void>
}

const NO_HOST = 'no host to ask'
const TOLD_SECONDS = 60
/** How long a refusal for now, and a host that does not answer, are believed. */
const FAILURE_MS = 30_000
const KEPT_DOMAINS = 10_000

const keyOf = (recipient: string): string => {
  const { local, domain } = splitAddress(recipient)
  return `${local}@${domain.toLowerCase()}`
}

const answerOf = (result: AttemptResult): CallAheadAnswer => {
  if (result.ok) return { kind: 'valid' }
  const { permanent, code, status, response } = result
  if (permanent) return { kind: 'invalid', code: code.startsWith('5') ? code : '550', status }
  return code.startsWith('4') ? { kind: 'temporary', code, status } : { kind: 'failed', reason: response }
}

const failed = (failure: Failure): AttemptResult => ({ ok: false, ...failure, permanent: false })

/** Waits until one of the profile's connections is free. @throws the signal's reason */
const enter = async (desk: Desk, signal: AbortSignal): Promise<void> => {
  if (desk.active < desk.profile.maxConnections) return void desk.active++
  await new Promise<void>((resolve, reject) => {
    const leave = (): void => {
      desk.waiting.delete(go)
      reject(signal.reason as Error)
    }
    const go = (): void => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    signal.addEventListener('abort', leave, { once: true })
    desk.waiting.add(go)
  })
}

const exit = (desk: Desk): void => {
  const [next] = desk.waiting
  if (next === undefined) return void desk.active--
  desk.waiting.delete(next)
  next()
}

/** Asks next hops whether recipients exist: MAIL FROM and RCPT TO, and no message behind them. */
export const createCallAhead = (deps: CallAheadDeps): CallAhead => {
  const { config, env, events } = deps
  const routing = createDeliveryRouting(config)
  const desks = new Map<string, Desk>()
  const ended = new AbortController()
  const told = createRecipientLimit(env.clock)

  const openDesk = (profile: CallAheadProfile): Desk => ({
    profile,
    cache: createLru<CallAheadAnswer>(profile.cacheSize, env.clock),
    down: createLru<CallAheadAnswer>(KEPT_DOMAINS, env.clock),
    pending: new Map(),
    active: 0,
    waiting: new Set(),
  })

  const deskOf = (name: string): Desk | null => {
    const all = config.get(section)
    for (const known of desks.keys()) if (!all.some((p) => p.name === known)) desks.delete(known)
    const profile = all.find((p) => p.name === name)
    if (profile === undefined) return null
    const known = desks.get(name)
    if (known && (known.profile === profile || JSON.stringify(known.profile) === JSON.stringify(profile))) return known
    const fresh = openDesk(profile)
    desks.set(name, fresh)
    return fresh
  }

  const probe = async (
    target: SmtpTarget,
    profile: CallAheadProfile,
    recipient: string,
    signal: AbortSignal,
  ): Promise<AttemptResult> => {
    const { domain } = splitAddress(recipient)
    const { connectTimeoutSeconds, replyTimeoutSeconds } = config.get(delivery)
    // The route's name and passphrase are for its own hosts.
    const auth = profile.hosts.length === 0 ? routing.loginOf(domain) : null
    const source = resolveSource(config.get(interfaces), config.get(interfaces).delivery)
    const options = {
      hostname: source?.hostname ?? config.get(system).hostname,
      connectTimeoutMs: connectTimeoutSeconds * 1000,
      replyTimeoutMs: replyTimeoutSeconds * 1000,
      tls: tlsDemand(routing.termsOf(domain).tls, target.host, domain),
      auth,
      localAddress: source?.address ?? null,
    }
    const sending = await deps.smtp.connect(target, options, signal)
    const message = {
      sender: profile.mailFrom,
      recipients: [{ address: recipient }],
      bytes: Buffer.alloc(0),
      envelopeOnly: true,
    }
    const results = await sending.send(message, signal)
    sending.quit()
    return results?.[0] ?? failed({ permanent: false, code: '000', status: '4.4.2', response: NO_HOST })
  }

  const routeOf = (profile: CallAheadProfile, domain: string): Route =>
    profile.hosts.length > 0 ? { kind: 'hosts', hosts: profile.hosts.map(parseRouteHost) } : routing.routeOf(domain)

  /** The first host that can be reached answers. */
  const ask = async (profile: CallAheadProfile, recipient: string, signal: AbortSignal): Promise<CallAheadAnswer> => {
    const { domain } = splitAddress(recipient)
    const route = routeOf(profile, domain)
    if (route.kind === 'discard') return { kind: 'valid' }
    if (route.kind === 'mailboxes')
      return (await deps.mailboxExists(recipient))
        ? { kind: 'valid' }
        : { kind: 'invalid', code: '550', status: '5.1.1' }
    const ourselves = { hostname: config.get(system).hostname, addresses: deps.ownAddresses() }
    const hops = await nextHops(route, domain, deps.resolver, ourselves, env.entropy)
    if (!hops.ok) return { kind: 'failed', reason: hops.failure.response }
    let reason = NO_HOST
    for (const target of hops.targets) {
      signal.throwIfAborted()
      try {
        return answerOf(await probe(target, profile, recipient, signal))
      } catch (error) {
        if (!(error instanceof ConnectFailure)) throw error
        reason = error.failure.response
      }
    }
    return { kind: 'failed', reason }
  }

  /** By the profile's time-out at the latest. */
  const query = async (desk: Desk, recipient: string): Promise<CallAheadAnswer> => {
    const { profile } = desk
    const { domain } = splitAddress(recipient.toLowerCase())
    let asked = false
    try {
      const answer = await withDeadline(env.clock, profile.timeoutSeconds * 1000, ended.signal, async (signal) => {
        await enter(desk, signal)
        asked = true
        try {
          return await ask(profile, recipient, signal)
        } finally {
          exit(desk)
        }
      })
      if (answer.kind === 'failed') desk.down.set(domain, answer, FAILURE_MS)
      return answer
    } catch (error) {
      const answer: CallAheadAnswer = { kind: 'failed', reason: errorText(error) }
      // Who only waited for a connection learnt nothing of the host.
      if (asked) desk.down.set(domain, answer, FAILURE_MS)
      return answer
    }
  }

  /** A host that is away meets every recipient: it is told once a minute. */
  const tell = (profile: string, answer: CallAheadAnswer): void => {
    if (answer.kind !== 'failed' || !told.take(profile, 1, TOLD_SECONDS)) return
    events.publish({ type: 'system.warning', text: `SMTP call-ahead profile ${profile}: ${answer.reason}` })
  }

  const validate = async (name: string, recipient: string): Promise<CallAheadAnswer> => {
    const desk = deskOf(name)
    if (desk === null) return { kind: 'failed', reason: 'there is no such profile' }
    const { cache, pending, profile } = desk
    const key = keyOf(recipient)
    const known = cache.get(key) ?? desk.down.get(splitAddress(key).domain)
    if (known !== undefined) return known
    const under = pending.get(key)
    if (under !== undefined) return await under
    if (pending.size >= profile.maxQueries) {
      const full: CallAheadAnswer = { kind: 'failed', reason: 'too many validations wait' }
      tell(name, full)
      return full
    }
    const asked = query(desk, recipient)
    pending.set(key, asked)
    const answer = await asked
    pending.delete(key)
    tell(name, answer)
    if (answer.kind === 'valid') cache.set(key, answer, profile.cacheSeconds * 1000)
    if (answer.kind === 'temporary') cache.set(key, answer, Math.min(FAILURE_MS, profile.cacheSeconds * 1000))
    if (answer.kind === 'invalid') cache.set(key, answer, profile.negativeCacheSeconds * 1000)
    return answer
  }

  return {
    validate,
    test: async (profile, recipient) => await query(openDesk(profile), recipient),
    flush: (profile) => {
      let n = 0
      for (const [name, { cache, down }] of desks) {
        if (profile !== undefined && profile !== name) continue
        n += cache.size
        cache.clear()
        down.clear()
      }
      return n
    },
    close: () => ended.abort(new Error('the appliance stops')),
  }
}
