import { printableCut } from '../../core/text.ts'

/** Columns as wide as their widest cell, two blanks apart, the heading underlined with `=`. */
export const table = (heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const cells = rows.map((row) => row.map((cell) => printableCut(cell, 64)))
  const widths = heading.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(heading), line(widths.map((width) => '='.repeat(width))), ...cells.map(line)]
}
