import type { SenderLevel } from '../../events/levels.ts'

/**
 * The words of both vocabularies, each as the levels of the one inner scale that it means. Filters may use either,
 * whichever is shown. `neutral` stands in both and means what the newer one means. Table in docs/intelligence/sdr.md.
 */
const WORDS: Readonly<Record<string, readonly SenderLevel[]>> = {
  awful: ['awful'],
  poor: ['poor'],
  tainted: ['tainted'],
  weak: ['weak'],
  good: ['favorable', 'trusted'],
  untrusted: ['awful'],
  questionable: ['poor', 'tainted'],
  neutral: ['weak', 'neutral'],
  favorable: ['favorable'],
  trusted: ['trusted'],
  unknown: ['unknown'],
}

export const SDR_WORDS: readonly string[] = Object.keys(WORDS)

/** Empty for a word of neither vocabulary. Case does not count. */
export const levelsForWord = (word: string): readonly SenderLevel[] => {
  const w = word.trim().toLowerCase()
  return Object.hasOwn(WORDS, w) ? (WORDS[w] as readonly SenderLevel[]) : []
}
