import type { Pattern } from '../core/regex.ts'

export interface GrepOptions {
  /** A line is a hit when any of them matches. */
  readonly patterns: readonly Pattern[]
  /** Lines before and after each hit. */
  readonly context: number
  /** Hits are the lines that do not match. */
  readonly invert: boolean
}

export const isHit = ({ patterns, invert }: GrepOptions, line: string): boolean =>
  patterns.some((p) => p.test(line)) !== invert

/** Hits with their context, `--` between separate groups. Keeps `context` lines and no more. */
export async function* grep(batches: AsyncIterable<readonly string[]>, options: GrepOptions): AsyncGenerator<string> {
  let before: string[] = []
  let after = 0
  let shown = false
  let gap = false
  for await (const batch of batches)
    for (const line of batch) {
      if (isHit(options, line)) {
        if (shown && gap && options.context > 0) yield '--'
        yield* before
        yield line
        before = []
        shown = true
        gap = false
        after = options.context
      } else if (after > 0) {
        yield line
        after--
      } else if (options.context > 0) {
        before.push(line)
        if (before.length > options.context) {
          before.shift()
          gap = true
        }
      }
    }
}
