import { isDnsList } from '../../config/sections/intelligence.ts'
import type { DnsListSource, IntelSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import { settledWithin, withDeadline } from '../../core/deadline.ts'
import { UserError } from '../../core/errors.ts'
import { createLru } from '../../core/lru.ts'
import type { Lru } from '../../core/lru.ts'
import type { Resolver } from '../../core/resolver.ts'
import type { EventBus } from '../../events/bus.ts'
import { badness } from '../levels.ts'
import type { IntelSourceStatus } from '../lookup.ts'
import { registrable } from '../url/suffix.ts'
import type { Opinion } from '../verdict.ts'
import { DNS_LIST_FORMS } from './dns-codes.ts'
import type { DnsListAnswer } from './dns-codes.ts'
import { condemnsTopDomain } from './guard.ts'
import { licenceOf } from './known.ts'

/** A batch waits this long for all lists together; what comes later is there for the next message. */
const WAIT_MS = 750
const QUERY_MS = 5000
const KEPT = 50_000
const LISTED_MS = 1_800_000
const UNLISTED_MS = 600_000
/** Questions a second of one list; what is more goes unasked. */
const RATE = 50
const BURST = 200
/** So many questions without an answer, one after the other: the list is not asked before its next check. */
const SILENT = 5
/** RFC 5782 §5: no list of domains holds it. */
const NEVER_LISTED = 'invalid'

/** DNS lists of domains: sources that are asked by name when a message needs it. */
export interface DnsLists {
  /** Whether any list answers. */
  inUse(): boolean
  /** What the lists in use say of the registrable domains of these hosts. Never rejects, and answers within `WAIT_MS`. */
  ask(hosts: readonly string[]): Promise<(host: string) => readonly Opinion[]>
  /** Asks for the list's test point; a list is in use from the first time that it is answered. @throws UserError */
  check(source: IntelSource, signal: AbortSignal): Promise<void>
  drop(name: string): void
  names(): readonly string[]
  status(source: IntelSource): IntelSourceStatus
}

interface Known {
  readonly opinion: Opinion | null
}

interface List {
  readonly source: DnsListSource
  readonly settings: string
  readonly cache: Lru<Known>
  readonly asking: Map<string, Promise<void>>
  healthy: boolean
  error: string | null
  checkedAt: Date | null
  silent: number
  tokens: number
  filledAt: number
}

const zoneOf = (source: IntelSource): string => source.path.replaceAll('{key}', source.key ?? '')

export const createDnsLists = (deps: {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly events: EventBus
}): DnsLists => {
  const { resolver, clock, events } = deps
  const lists = new Map<string, List>()

  const alert = (severity: 'Warning' | 'Information', text: string): void =>
    events.publish({ type: 'alert.raised', class: 'Intelligence', severity, text })

  /** Told once for each reason. */
  const fail = (list: List, reason: string): void => {
    list.healthy = false
    if (list.error === reason) return
    list.error = reason
    events.publish({ type: 'intel.source-failed', source: list.source.name, error: reason })
    alert('Warning', `The intelligence source '${list.source.name}' is not in use: ${reason}`)
  }

  /** null = not listed. @throws when there is no answer. */
  const query = async (list: List, domain: string, signal: AbortSignal): Promise<DnsListAnswer | null> => {
    const name = `${domain}.${zoneOf(list.source)}`
    try {
      const answer = await withDeadline(clock, QUERY_MS, signal, () => resolver.resolve(name, 'A'))
      const addresses = Array.isArray(answer) ? answer.filter((a): a is string => typeof a === 'string') : []
      const read = addresses.map((a) => DNS_LIST_FORMS[list.source.format].read(a))
      const said = read.find((r) => r.kind === 'refused')
      if (said) return said
      return read.reduce<DnsListAnswer | null>((worst, r) => (worst === null || worse(r, worst) ? r : worst), null)
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'ENOTFOUND' || code === 'ENODATA') return null
      throw error
    }
  }

  const token = (list: List): boolean => {
    const now = clock.monotonic()
    list.tokens = Math.min(BURST, list.tokens + ((now - list.filledAt) * RATE) / 1000)
    list.filledAt = now
    if (list.tokens < 1) return false
    list.tokens--
    return true
  }

  const look = async (list: List, domain: string): Promise<void> => {
    try {
      const answer = await query(list, domain, new AbortController().signal)
      list.silent = 0
      if (answer?.kind === 'refused') return fail(list, answer.reason)
      const { name } = list.source
      const opinion: Opinion | null =
        answer === null
          ? null
          : {
              indicator: domain,
              kind: 'domain',
              level: answer.level,
              category: answer.category,
              ageDays: null,
              source: name,
              reason: answer.reason,
              asOf: clock.now(),
            }
      list.cache.set(domain, { opinion }, opinion === null ? UNLISTED_MS : LISTED_MS)
    } catch {
      if (++list.silent >= SILENT) fail(list, `${SILENT} questions in a row were not answered`)
    } finally {
      list.asking.delete(domain)
    }
  }

  /** The questions that are under way now. */
  const questions = (list: List, domains: readonly string[]): readonly Promise<void>[] =>
    domains.flatMap((domain) => {
      if (list.cache.get(domain)) return []
      const running = list.asking.get(domain)
      if (running) return [running]
      if (list.asking.size >= BURST || !token(list)) return []
      const asked = look(list, domain)
      list.asking.set(domain, asked)
      return [asked]
    })

  const begin = (source: DnsListSource): List => {
    const settings = JSON.stringify([source.format, source.path, source.key])
    const old = lists.get(source.name)
    if (old?.settings === settings) return old
    const list: List = {
      source,
      settings,
      cache: createLru<Known>(KEPT, clock),
      asking: new Map(),
      healthy: false,
      error: null,
      checkedAt: null,
      silent: 0,
      tokens: BURST,
      filledAt: clock.monotonic(),
    }
    lists.set(source.name, list)
    return list
  }

  const faultOf = async (list: List, signal: AbortSignal): Promise<string | null> => {
    const { testPoint } = DNS_LIST_FORMS[list.source.format]
    try {
      const test = await query(list, testPoint, signal)
      if (test === null) return `its test point ${testPoint} is not listed: the zone or the key is wrong`
      if (test.kind === 'refused') return test.reason
      const never = await query(list, NEVER_LISTED, signal)
      return never === null ? null : `it lists what no list holds ('${NEVER_LISTED}'): the resolver makes answers up`
    } catch (error) {
      signal.throwIfAborted()
      // A resolver names what it was asked, and the name may hold the key.
      return `its test point is not answered (${(error as { code?: string }).code ?? 'no reason given'})`
    }
  }

  return {
    inUse: () => [...lists.values()].some((l) => l.healthy),
    ask: async (hosts) => {
      const domains = new Set<string>()
      for (const host of hosts) {
        const { domain, address } = registrable(host)
        if (domain !== null && !address && !condemnsTopDomain({ kind: 'domain', key: domain, level: 'awful' }))
          domains.add(domain)
      }
      const inUse = [...lists.values()].filter((l) => l.healthy)
      await settledWithin(
        clock,
        WAIT_MS,
        inUse.flatMap((list) => questions(list, [...domains])),
      )
      return (host) => {
        const { domain } = registrable(host)
        if (domain === null || !domains.has(domain)) return []
        return inUse.flatMap((l) => (l.healthy ? (l.cache.get(domain)?.opinion ?? []) : []))
      }
    },
    check: async (source, signal) => {
      if (!isDnsList(source)) throw new UserError(`'${source.name}' is not a DNS list.`)
      const list = begin(source)
      const reason = await faultOf(list, signal)
      if (lists.get(source.name) !== list) return
      if (reason !== null) {
        fail(list, reason)
        throw new UserError(`'${source.name}' is not in use: ${reason}`)
      }
      if (list.error !== null)
        alert('Information', `The intelligence source '${source.name}' answers, and is in use again.`)
      list.healthy = true
      list.error = null
      list.silent = 0
      list.checkedAt = clock.now()
    },
    drop: (name) => void lists.delete(name),
    names: () => [...lists.keys()],
    status: (source) => {
      const list = lists.get(source.name)
      return {
        name: source.name,
        enabled: source.enabled,
        indicators: 0,
        loadedAt: null,
        checkedAt: list?.checkedAt ?? null,
        error: list?.error ?? null,
        licence: licenceOf(source.path),
      }
    },
  }
}

const worse = (a: DnsListAnswer, b: DnsListAnswer): boolean =>
  a.kind === 'listed' && b.kind === 'listed' && badness(a.level) < badness(b.level)
