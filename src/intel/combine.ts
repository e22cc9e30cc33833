import type { SenderLevel } from '../events/levels.ts'
import type { Scope } from './indicator.ts'
import { badness } from './levels.ts'
import type { Opinion } from './verdict.ts'

/** The source of what operators set by command. Its word comes before everybody else's. */
export const OPERATOR = 'operator'

export interface Decision {
  readonly level: SenderLevel
  /** The opinion that decided; null = nobody said anything. */
  readonly because: Opinion | null
  /** One sentence for `explain`. */
  readonly rule: string
  /** Every opinion that bears on it, the one that decides first. */
  readonly opinions: readonly Opinion[]
}

const RULES = {
  operator: "The operator's own opinion decides; of several the narrowest.",
  worst: 'Each source speaks by its narrowest opinion; of the sources the worst opinion decides.',
  none: 'No opinion bears on it: unknown, no score.',
} as const

/**
 * The written rule (docs/intelligence/verdicts.md): the operator first; then, each source by the narrowest it says, the
 * worst; of equals the narrower, then the newer, then by name of the source. `scopes` are narrowest first.
 */
export const decide = (opinions: readonly Opinion[], scopes: readonly Scope[]): Decision => {
  const place = new Map(scopes.map((s, i) => [`${s.kind}:${s.key}`, i]))
  const scopeOf = (o: Opinion): number => place.get(`${o.kind}:${o.indicator}`) ?? scopes.length
  const narrowestFirst = [...opinions].sort((a, b) => scopeOf(a) - scopeOf(b))
  const own = narrowestFirst.find((o) => o.source === OPERATOR)
  const speaking = new Map<string, Opinion>()
  for (const o of narrowestFirst) if (!speaking.has(o.source)) speaking.set(o.source, o)
  const ranked = [...speaking.values()].sort(
    (a, b) =>
      badness(a.level) - badness(b.level) ||
      scopeOf(a) - scopeOf(b) ||
      b.asOf.getTime() - a.asOf.getTime() ||
      (a.source < b.source ? -1 : 1),
  )
  const because = own ?? ranked[0] ?? null
  return {
    level: because?.level ?? 'unknown',
    because,
    rule: own ? RULES.operator : because ? RULES.worst : RULES.none,
    opinions: because ? [because, ...narrowestFirst.filter((o) => o !== because)] : [],
  }
}
