import { printable } from '../core/text.ts'
import { threatWord } from './levels.ts'
import type { IntelExplanation } from './lookup.ts'
import type { Opinion } from './verdict.ts'

const when = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

/** `example.com (domain): Untrusted, category Phishing, operator (admin), 2022-03-30T00:20:10Z, seen in a campaign` */
export const opinionLine = (o: Opinion): string =>
  printable(
    [
      `${o.indicator} (${o.kind}): ${threatWord(o.level)}`,
      ...(o.category === null ? [] : [`category ${o.category}`]),
      ...(o.ageDays === null ? [] : [`age ${o.ageDays} ${o.ageDays === 1 ? 'day' : 'days'}`]),
      o.by === undefined ? o.source : `${o.source} (${o.by})`,
      when(o.asOf),
      o.reason,
    ].join(', '),
  )

export const explanationLines = (e: IntelExplanation): readonly string[] => [
  `${printable(e.indicator)}: ${e.verdict}, ${e.score === null ? 'no score' : `score ${e.score.toFixed(1)}`}`,
  e.rule,
  ...e.opinions.map((o) => `  ${opinionLine(o)}`),
]
