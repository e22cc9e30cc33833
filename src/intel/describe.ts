import { printable } from '../core/text.ts'
import { threatWord } from './levels.ts'
import type { IntelExplanation } from './lookup.ts'
import type { Opinion } from './verdict.ts'

const when = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** `3 hours ago`; less than a minute, and a time that is still to come by another clock: `just now`. */
export const ageText = (at: Date, now: Date): string => {
  const seconds = (now.getTime() - at.getTime()) / 1000
  const [unit, size] = UNITS.find(([, s]) => seconds >= s) ?? ['', 0]
  if (size === 0) return 'just now'
  const count = Math.floor(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`
}

/** `example.com (domain): Untrusted, category Phishing, operator (admin), 2022-03-30T00:20:10Z (3 hours ago), seen in a campaign` */
export const opinionLine = (o: Opinion, now: Date): string =>
  printable(
    [
      `${o.indicator} (${o.kind}): ${threatWord(o.level)}`,
      ...(o.category === null ? [] : [`category ${o.category}`]),
      ...(o.ageDays === null ? [] : [`age ${o.ageDays} ${o.ageDays === 1 ? 'day' : 'days'}`]),
      o.by === undefined ? o.source : `${o.source} (${o.by})`,
      `${when(o.asOf)} (${ageText(o.asOf, now)})`,
      o.reason,
    ].join(', '),
  )

export const explanationLines = (e: IntelExplanation, now: Date): readonly string[] => [
  `${printable(e.indicator)}: ${e.verdict}, ${e.score === null ? 'no score' : `score ${e.score.toFixed(1)}`}`,
  e.rule,
  ...e.opinions.map((o) => `  ${opinionLine(o, now)}`),
]
