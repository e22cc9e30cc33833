import { withThousands } from '../../core/text.ts'
import type { CounterName, CounterReader } from '../../events/counters.ts'

/** A value at the right end of `width`: a long label takes its blanks, not its place. */
const aligned = (label: string, value: string, width: number): string =>
  `${label} ${value.padStart(Math.max(0, width - label.length - 1))}`

/** A row of the counters: a name at its indent and the three columns. */
export const counterRow = (counters: CounterReader, label: string, name: CounterName, indent = 4): string => {
  const [reset, uptime, lifetime] = (['reset', 'uptime', 'lifetime'] as const).map((since) =>
    withThousands(counters.value(name, since)),
  )
  return `${aligned(`${' '.repeat(indent)}${label}`, reset ?? '', 43)}${uptime?.padStart(15)}${lifetime?.padStart(15)}`
}

export const rateRow = (counters: CounterReader, label: string, name: CounterName): string =>
  `${`  ${label}`.padEnd(28)}${([1, 5, 15] as const)
    .map((minutes) => withThousands(counters.rate(name, minutes)).padStart(15))
    .join('')}`

/** An id has no thousands separators and stands in the last column. */
export const idRow = (label: string, id: number): string => aligned(`    ${label}`, String(id), 73)

/** A row of `hoststatus`. */
export const figureRow = (label: string, value: number, indent: number): string =>
  `${`${' '.repeat(indent)}${label}`.padEnd(37)}${withThousands(value).padStart(15)}`

export const gaugeRow = (label: string, value: number | string, indent = 4): string =>
  `${`${' '.repeat(indent)}${label}`.padEnd(32)}${(typeof value === 'number' ? withThousands(value) : value).padStart(11)}`
