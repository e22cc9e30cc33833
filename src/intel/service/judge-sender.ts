import type { OpinionStore } from '../../store/repositories/intel.ts'
import type { Decision } from '../combine.ts'
import { badness } from '../levels.ts'
import { judge } from '../opinions.ts'
import { canonicalHost } from '../url/canonical.ts'
import { domainKeys } from '../url/expressions.ts'
import type { SenderQuery, SenderVerdict } from '../verdict.ts'

const DAY_MS = 86_400_000

interface Judged {
  readonly domain: string
  readonly role: 'reverseHost' | 'helo' | 'envelopeFrom' | 'headerFrom' | 'replyTo'
  readonly decision: Decision
}

const ROLES: readonly Judged['role'][] = ['headerFrom', 'envelopeFrom', 'replyTo', 'helo', 'reverseHost']

const passed = (result: string | undefined): boolean => result?.toLowerCase() === 'pass'

/** Anybody can write a trusted domain into a message: good words count only where the domain is proven. */
const proven = (role: Judged['role'], query: SenderQuery): boolean => {
  if (role === 'headerFrom') return passed(query.dmarc)
  return role === 'envelopeFrom' && passed(query.spf)
}

const isGood = (d: Decision): boolean => d.level === 'favorable' || d.level === 'trusted'
const isBad = (d: Decision): boolean => badness(d.level) < badness('neutral')

/** The age that the sources know, as of now. */
const ageOf = (decision: Decision, now: Date): number | null => {
  const ages = decision.opinions.flatMap((o) =>
    o.ageDays === null ? [] : [o.ageDays + Math.max(0, Math.floor((now.getTime() - o.asOf.getTime()) / DAY_MS))],
  )
  return ages.length > 0 ? Math.min(...ages) : null
}

/**
 * One verdict per message: the worst of its domains, which are then the suspected ones; good only when a proven domain
 * is good and none is bad. docs/intelligence/sdr.md.
 */
export const judgeSender = (store: Pick<OpinionStore, 'bearingOn'>, query: SenderQuery, now: Date): SenderVerdict => {
  const judged = ROLES.flatMap((role): readonly Judged[] => {
    const domain = canonicalHost(query[role] ?? '')
    if (domain === '') return []
    const decision = judge(
      store,
      domainKeys(domain).map((key) => ({ kind: 'domain', key })),
    )
    return decision.because === null ? [] : [{ domain: query[role] ?? domain, role, decision }]
  })
  const bad = judged
    .filter((j) => isBad(j.decision))
    .sort((a, b) => badness(a.decision.level) - badness(b.decision.level))
  const good = judged
    .filter((j) => isGood(j.decision) && proven(j.role, query))
    .sort((a, b) => badness(b.decision.level) - badness(a.decision.level))
  // Said something of, but neither bad nor proven good.
  const plain = judged.find((j) => j.decision.level !== 'unknown' && !isBad(j.decision))
  const deciding = bad[0] ?? good[0] ?? null
  const aged = judged
    .flatMap((j) => {
      const days = ageOf(j.decision, now)
      return days === null ? [] : [{ domain: j.domain, days }]
    })
    .sort((a, b) => a.days - b.days)[0]
  return {
    level: deciding?.decision.level ?? (plain ? 'neutral' : 'unknown'),
    category: deciding?.decision.because?.category ?? null,
    suspected: [...new Set(bad.map((j) => j.domain))],
    ageDays: aged?.days ?? null,
    ageDomain: aged?.domain ?? null,
    because: (bad.length > 0 ? bad : deciding ? [deciding] : plain ? [plain] : []).flatMap((j) =>
      j.decision.because ? [j.decision.because] : [],
    ),
  }
}
