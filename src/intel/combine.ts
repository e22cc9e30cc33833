import type { SenderLevel } from '../events/levels.ts'
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

/** An opinion and how narrow it is: its place among the scopes of what is judged, narrowest 0. */
export interface Placed {
  readonly opinion: Opinion
  readonly place: number
}

/**
 * The written rule (docs/intelligence/verdicts.md): the operator first; then, each source by the narrowest it says, the
 * worst; of equals the narrower, then the newer, then by name of the source.
 */
export const decide = (opinions: readonly Placed[]): Decision => {
  const narrowestFirst = [...opinions].sort((a, b) => a.place - b.place)
  const own = narrowestFirst.find(({ opinion }) => opinion.source === OPERATOR)
  const speaking = new Map<string, Placed>()
  for (const p of narrowestFirst) if (!speaking.has(p.opinion.source)) speaking.set(p.opinion.source, p)
  const ranked = [...speaking.values()].sort(
    (a, b) =>
      badness(a.opinion.level) - badness(b.opinion.level) ||
      a.place - b.place ||
      b.opinion.asOf.getTime() - a.opinion.asOf.getTime() ||
      (a.opinion.source < b.opinion.source ? -1 : 1),
  )
  const because = (own ?? ranked[0])?.opinion ?? null
  return {
    level: because?.level ?? 'unknown',
    because,
    rule: own ? RULES.operator : because ? RULES.worst : RULES.none,
    opinions: because ? [because, ...narrowestFirst.map((p) => p.opinion).filter((o) => o !== because)] : [],
  }
}
