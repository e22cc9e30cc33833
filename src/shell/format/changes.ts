import type { Change } from '../../config/section.ts'
import { printable } from '../../core/text.ts'

const shown = (value: unknown): string => {
  if (value === undefined) return '(none)'
  if (value === null) return '(not set)'
  if (typeof value === 'string') return value === '' ? '""' : printable(value)
  return printable(JSON.stringify(value))
}

/** Changes as a tree: a level of the path a line, `old -> new` at the leaves; siblings share their heads. */
export const changeTree = (changes: readonly Change[], indent = ''): readonly string[] => {
  let open: readonly string[] = []
  return changes.flatMap((change) => {
    const segments = change.segments ?? change.path.split('.')
    const heads = segments.slice(0, -1)
    const shared = heads.findIndex((s, i) => s !== open[i])
    const from = shared < 0 ? heads.length : shared
    open = heads
    const pad = (depth: number): string => indent + '  '.repeat(depth)
    return [
      ...heads.slice(from).map((head, i) => `${pad(from + i)}${printable(head)}`),
      `${pad(heads.length)}${printable(segments.at(-1) ?? '')}: ${shown(change.before)} -> ${shown(change.after)}`,
    ]
  })
}
