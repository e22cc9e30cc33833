import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { Fault } from '../../core/errors.ts'
import { createLru } from '../../core/lru.ts'
import type { Resolver } from '../../core/resolver.ts'
import type { SpfResult } from '../../events/authentication.ts'
import type { EventBus } from '../../events/bus.ts'
import { domainOf } from '../message/addresses.ts'
import type { SpoolEntry } from '../../store/spool.ts'
import type { dmarc as askDmarc } from 'mailauth/lib/dmarc/index.js'
import { dkimMatter, verifyDkim } from './dkim.ts'
import type { DkimOutcome, DkimWord } from './dkim.ts'
import { createSpfChecker } from './spf.ts'
import type { SpfVerdict } from './spf-cache.ts'

export interface Authentication {
  /** null = not asked for. */
  readonly spf: { readonly helo: SpfResult; readonly mailfrom: SpfResult } | null
  readonly dkim: DkimWord | null
  readonly dmarc: 'pass' | 'fail' | 'none' | 'temperror' | null
  /** Method results of an Authentication-Results field (RFC 8601), one each. */
  readonly results: readonly string[]
}

/** Which checks the mail-flow policy asks for. */
export interface Checks {
  readonly spf: boolean
  readonly dkim: boolean
  readonly dmarc: boolean
}

export interface Authenticator {
  authenticate(
    entry: SpoolEntry,
    raw: Buffer,
    hostname: string,
    signal: AbortSignal,
    checks?: Checks,
  ): Promise<Authentication>
}

export interface AuthenticatorDeps {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly events: EventBus
  /** Of each check; DNS that does not answer by then is a TempError. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 15_000
const STATUS_EVERY_MS = 60_000
/** The same addresses with the same proofs end the same for so long. */
const KEEP_MS = 60_000
const KEPT = 10_000
/** From fields longer than this are not kept. */
const KEPT_CHARACTERS = 1000
type DmarcAnswer = Exclude<Awaited<ReturnType<typeof askDmarc>>, false>
const PREFERENCE: readonly DkimWord[] = ['pass', 'temperror', 'hardfail', 'permerror', 'neutral']

/** What verifies signatures reads the From fields too, and takes longer than they are long. */
const TOO_LONG: DkimOutcome = {
  headerFrom: [],
  passed: [],
  info: ['dkim=permerror'],
  signatures: [
    {
      result: 'permfail',
      detail: 'the From header is too long',
      word: 'permerror',
      domain: null,
      selector: null,
      identity: null,
    },
  ],
}

/** SPF (HELO, then MAIL FROM), DKIM and DMARC of incoming mail; what they find is told in `auth.*` events. */
export const createAuthenticator = (deps: AuthenticatorDeps): Authenticator => {
  const { clock, events, resolver } = deps
  const timeoutMs = deps.timeoutMs ?? TIMEOUT_MS
  const spf = createSpfChecker({ resolver, clock, timeoutMs })
  const policies = createLru<DmarcAnswer>(KEPT, clock)
  /** Of messages without a signature, by their From fields. */
  const unsigned = createLru<DkimOutcome>(KEPT, clock)
  let statusAt: number | null = null

  const tellCacheStatus = (): void => {
    if (statusAt !== null && clock.monotonic() - statusAt < STATUS_EVERY_MS) return
    statusAt = clock.monotonic()
    events.publish({ type: 'auth.spf-cache', ...spf.status() })
  }

  const checkSpf = async (entry: SpoolEntry, hostname: string, signal: AbortSignal) => {
    const check = async (identity: 'helo' | 'mailfrom', address: string): Promise<SpfVerdict> => {
      const query = { ip: entry.remoteAddress, helo: entry.helo, address, hostname }
      const verdict = await spf.check(query, signal)
      const { result, recordFound, fromCache } = verdict
      events.publish({ type: 'auth.spf', mid: entry.mid, identity, address, result, recordFound, fromCache })
      return verdict
    }
    const postmaster = `postmaster@${entry.helo}`
    const helo = await check('helo', postmaster)
    tellCacheStatus()
    const mailfrom = await check('mailfrom', entry.sender === '' ? postmaster : entry.sender)
    return { helo, mailfrom }
  }

  const checkDkim = async (mid: number, raw: Buffer, signal: AbortSignal, tell: boolean): Promise<DkimOutcome> => {
    const nothing = { headerFrom: [], passed: [], info: ['dkim=temperror'] }
    const matter = dkimMatter(raw)
    const key = matter.unsigned !== null && matter.unsigned.length <= KEPT_CHARACTERS ? matter.unsigned : null
    const known = key === null ? undefined : unsigned.get(key)
    if (known) return known
    const outcome = await withDeadline(clock, timeoutMs, signal, async () => {
      if (matter.tooLong) return TOO_LONG
      const found = await verifyDkim(matter, resolver)
      if (key !== null) unsigned.set(key, found, KEEP_MS)
      return found
    }).catch((error: unknown): DkimOutcome => {
      if (signal.aborted) throw error
      const detail = error instanceof Fault ? error.message : 'the signature could not be read'
      const where = { domain: null, selector: null, identity: null }
      return { ...nothing, signatures: [{ result: 'temperror', detail, word: 'temperror', ...where }] }
    })
    for (const { result, detail, domain, selector, identity } of tell ? outcome.signatures : [])
      events.publish({ type: 'auth.dkim', mid, result, detail, domain, selector, identity })
    return outcome
  }

  const checkDmarc = async (
    entry: SpoolEntry,
    mailfrom: SpfVerdict | null,
    dkim: DkimOutcome,
    signal: AbortSignal,
  ): Promise<{ readonly word: Authentication['dmarc']; readonly info: string | null }> => {
    const skip = (reason: string, word: 'none' | 'temperror' = 'none') => {
      events.publish({ type: 'auth.dmarc', mid: entry.mid, outcome: 'skipped', reason })
      return { word, info: `dmarc=${word}` }
    }
    if (dkim === TOO_LONG) return skip('The From header is too long')
    const [from, ...others] = dkim.headerFrom
    const domain = from === undefined ? null : domainOf(from)
    if (from === undefined || domain === null) return skip('No domain in the From header')
    if (others.length > 0) return skip('More than one address in the From header')
    const spfDomains = mailfrom?.result === 'Pass' ? [mailfrom.domain] : []
    const key = JSON.stringify([from, spfDomains, dkim.passed])
    const answer =
      policies.get(key) ??
      (await withDeadline(clock, timeoutMs, signal, async () => {
        const { dmarc } = await import('mailauth/lib/dmarc/index.js')
        return dmarc({
          headerFrom: from,
          spfDomains,
          dkimDomains: [...dkim.passed],
          resolver: (name: string, type: string) => resolver.resolve(name, type) as Promise<string[]>,
        })
      }).catch((error: unknown) => {
        if (signal.aborted) throw error
        return null
      }))
    if (answer && answer.status.result !== 'temperror') policies.set(key, answer, KEEP_MS)
    if (!answer || answer.status.result === 'temperror') return skip('DNS temporary failure', 'temperror')
    if (answer.status.result !== 'pass' && answer.status.result !== 'fail')
      return skip('No record found for the sending domain')
    events.publish({
      type: 'auth.dmarc',
      mid: entry.mid,
      outcome: answer.status.result === 'pass' ? 'passed' : 'failed',
      domain,
      spfAligned: Boolean(answer.alignment.spf?.result),
      dkimAligned: Boolean(answer.alignment.dkim?.result),
    })
    return { word: answer.status.result, info: answer.info }
  }

  return {
    authenticate: async (entry, raw, hostname, signal, checks = { spf: true, dkim: true, dmarc: true }) => {
      const spfFound = checks.spf ? await checkSpf(entry, hostname, signal) : null
      // Alignment needs the header's addresses, which the look at the signatures finds.
      const dkim = checks.dkim || checks.dmarc ? await checkDkim(entry.mid, raw, signal, checks.dkim) : null
      const dmarc = checks.dmarc && dkim ? await checkDmarc(entry, spfFound?.mailfrom ?? null, dkim, signal) : null
      const words = new Set((dkim?.signatures ?? []).map((s) => s.word))
      return {
        spf: spfFound && { helo: spfFound.helo.result, mailfrom: spfFound.mailfrom.result },
        dkim: checks.dkim ? (PREFERENCE.find((w) => words.has(w)) ?? 'none') : null,
        dmarc: dmarc?.word ?? null,
        results: [
          ...[spfFound?.mailfrom.info].flatMap((info) => info ?? []),
          ...(checks.dkim ? (dkim?.info ?? []) : []),
          ...[dmarc?.info].flatMap((info) => info ?? []),
        ],
      }
    },
  }
}
