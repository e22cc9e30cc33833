export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = sorted.slice(sorted.length % 2 === 1 ? middle : middle - 1, middle + 1)
  return sorted.length % 2 === 1 ? low : (low + high) / 2
}

/** `1234 (1000–1500)`: the median, and the range of the rounds. */
export const summary = (values: readonly number[]): string => {
  const round = (n: number): string => Math.round(n).toString()
  return `${round(median(values))} (${round(Math.min(...values))}–${round(Math.max(...values))})`
}

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

export const secondsSince = (start: number): number => (performance.now() - start) / 1000
