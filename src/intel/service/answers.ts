import { SENDER_LEVELS, THREAT_LEVELS } from '../../events/levels.ts'
import type { HashMatch } from '../url/blind.ts'
import type { Opinion, SenderVerdict, UrlVerdict } from '../verdict.ts'

/** Checks of what a shared service answers: a wrong one is no verdict. Shapes in docs/intelligence/api.md. */

type Json = Readonly<Record<string, unknown>>
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)
const textOrNull = (v: unknown): string | null => (typeof v === 'string' ? v.slice(0, 512) : null)
const numberOrNull = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null)

const readOpinion = (raw: unknown): Opinion | null => {
  if (!isObject(raw)) return null
  const level = SENDER_LEVELS.find((l) => l === raw['level'])
  const asOf = new Date(String(raw['asOf']))
  if (level === undefined || Number.isNaN(asOf.getTime())) return null
  const by = textOrNull(raw['by'])
  return {
    indicator: textOrNull(raw['indicator']) ?? '',
    kind: raw['kind'] === 'url' ? 'url' : 'domain',
    level,
    category: textOrNull(raw['category']),
    ageDays: numberOrNull(raw['ageDays']),
    source: textOrNull(raw['source']) ?? '',
    reason: textOrNull(raw['reason']) ?? '',
    asOf,
    ...(by === null ? {} : { by }),
  }
}

/** `{hash, opinion}` of a look-up by prefixes; the opinion names no indicator. */
export const readHashMatch = (raw: unknown): HashMatch | null => {
  if (!isObject(raw) || typeof raw['hash'] !== 'string' || !/^[0-9a-f]{64}$/.test(raw['hash'])) return null
  const opinion = readOpinion(raw['opinion'])
  return opinion === null ? null : { hash: raw['hash'], opinion }
}

export const readUrlVerdict = (raw: unknown): UrlVerdict | null => {
  if (!isObject(raw) || typeof raw['url'] !== 'string') return null
  const level = THREAT_LEVELS.find((l) => l === raw['level'])
  if (level === undefined) return null
  return {
    url: raw['url'],
    level,
    score: level === 'unknown' ? null : numberOrNull(raw['score']),
    category: textOrNull(raw['category']),
    because: readOpinion(raw['because']),
  }
}

const listOf = <T>(raw: unknown, read: (item: unknown) => T | null): readonly T[] =>
  Array.isArray(raw) ? (raw as readonly unknown[]).map(read).filter((v): v is T & {} => v !== null) : []

export const readSenderVerdict = (raw: unknown): SenderVerdict | null => {
  if (!isObject(raw)) return null
  const level = SENDER_LEVELS.find((l) => l === raw['level'])
  if (level === undefined) return null
  return {
    level,
    category: textOrNull(raw['category']),
    suspected: listOf(raw['suspected'], textOrNull),
    ageDays: numberOrNull(raw['ageDays']),
    ageDomain: textOrNull(raw['ageDomain']),
    because: listOf(raw['because'], readOpinion),
  }
}
