import { compilePattern } from '../../core/regex.ts'

/** Counts over all texts, up to `enough`. */
export const countMatches = (pattern: string, texts: readonly string[], enough: number): number => {
  const compiled = compilePattern(pattern)
  if (!compiled.ok) return 0
  let count = 0
  for (const text of texts) {
    if (count >= enough) break
    count += enough === 1 ? Number(compiled.value.test(text)) : compiled.value.matches(text, enough - count).length
  }
  return count
}
