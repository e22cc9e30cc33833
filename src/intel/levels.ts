import { SENDER_LEVELS } from '../events/levels.ts'
import type { SenderLevel, ThreatLevel } from '../events/levels.ts'

/** What operators and files may write for a level, beside the level's own name. docs/intelligence/verdicts.md has the table. */
const ALIASES: Readonly<Record<string, SenderLevel>> = {
  untrusted: 'awful',
  malicious: 'awful',
  questionable: 'tainted',
  suspicious: 'tainted',
  good: 'favorable',
  clean: 'favorable',
  favourable: 'favorable',
  'no-score': 'unknown',
}

/** Words for messages: `intelconfig` names these when a word is not one of them. */
export const LEVEL_WORDS = 'malicious, untrusted, questionable, suspicious, neutral, favorable, clean, trusted, unknown'

export const levelOfWord = (word: string): SenderLevel | null => {
  const w = word.trim().toLowerCase()
  return SENDER_LEVELS.find((l) => l === w) ?? (Object.hasOwn(ALIASES, w) ? (ALIASES[w] as SenderLevel) : null)
}

const THREAT: Readonly<Record<SenderLevel, ThreatLevel>> = {
  awful: 'untrusted',
  poor: 'questionable',
  tainted: 'questionable',
  weak: 'neutral',
  neutral: 'neutral',
  favorable: 'favorable',
  trusted: 'trusted',
  unknown: 'unknown',
}
export const threatLevelOf = (level: SenderLevel): ThreatLevel => THREAT[level]

/** `Untrusted`, as the newer vocabulary shows it. */
export const threatWord = (level: SenderLevel): string => levelWord(THREAT[level])
export const levelWord = (level: ThreatLevel): string => level.charAt(0).toUpperCase() + level.slice(1)

/** A point inside the range that the level has in the URL scale (−10…−6, −5.9…−3.1, −3…0, 0.1…5.9, 6…10). */
const SCORES: Readonly<Record<SenderLevel, number | null>> = {
  awful: -9,
  poor: -5.5,
  tainted: -4,
  weak: -2,
  neutral: 0,
  favorable: 3,
  trusted: 8,
  unknown: null,
}
export const scoreOf = (level: SenderLevel): number | null => SCORES[level]

/** Worst first; unknown says nothing and comes last. */
export const badness = (level: SenderLevel): number => SENDER_LEVELS.indexOf(level)
