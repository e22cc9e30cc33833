import type { HashListSource } from '../../config/sections/intelligence.ts'
import type { Clock } from '../../core/clock.ts'
import type { SenderLevel } from '../../events/levels.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import { levelOfWord } from '../levels.ts'
import type { HashMatch } from '../url/blind.ts'
import { expressionHash, shortHash } from '../url/hash.ts'
import { probeOf } from '../url/watch-keys.ts'
import type { Opinion } from '../verdict.ts'
import { condemnsTopDomain } from './guard.ts'
import type { HashSearch } from './hash-search.ts'
import type { Candidate } from './hash-watch.ts'

/** Opinions that are looked at again at each check. */
const MAX_OPINIONS = 100_000

const CATEGORIES: Readonly<Record<string, string>> = {
  SOCIAL_ENGINEERING: 'Phishing',
  MALWARE: 'Malware',
  UNWANTED_SOFTWARE: 'Unwanted Software',
}

interface Said {
  readonly level: SenderLevel
  readonly category: string
  readonly reason: string
}

/** Phishing and malware have the source's own level; unwanted software is no reason to take a message away. */
const meaning = (source: HashListSource, threats: readonly string[]): Said | null => {
  const known = Object.keys(CATEGORIES).filter((t) => threats.includes(t))
  const [worst] = known
  if (worst === undefined) return null
  const own = levelOfWord(source.level) ?? 'awful'
  return {
    level: worst === 'UNWANTED_SOFTWARE' && own === 'awful' ? 'tainted' : own,
    category: source.category !== '' ? source.category : (CATEGORIES[worst] as string),
    reason: `listed as ${known.map((t) => (CATEGORIES[t] as string).toLowerCase()).join(', ')}`,
  }
}

/**
 * What the providers' answers mean, kept as opinions: so they count like any feed's, also for what is watched already, and
 * end when the provider takes them back.
 */
export const createHashOpinions = (deps: {
  readonly store: IntelStore
  readonly clock: Clock
  readonly changed: () => Promise<void>
}) => {
  const { store, clock } = deps
  const { opinions } = store

  const saidOf = (source: HashListSource, search: HashSearch, hash: Buffer): Said | null => {
    const hex = hash.toString('hex')
    const listed = search.known(hash)?.filter((l) => l.hash === hex) ?? []
    return meaning(
      source,
      listed.map((l) => l.threat),
    )
  }

  /** The change is in the queue: whoever works it off next has it, also after an error here. */
  const told = (): void => void deps.changed().catch(() => undefined)

  return {
    /** Nothing is said any more, and something may be. */
    begin: async (name: string): Promise<void> => {
      const set = await opinions.replace(name, clock.now())
      await set.finish('hash list', null)
    },

    note: async (source: HashListSource, search: HashSearch, candidates: readonly Candidate[]): Promise<void> => {
      let news = false
      for (const { key, hash } of candidates) {
        const said = saidOf(source, search, hash)
        if (said === null || condemnsTopDomain({ kind: 'url', key, level: said.level })) continue
        const short = shortHash(key)
        if (opinions.bearingOn([short]).some((o) => o.source === source.name && o.level === said.level)) continue
        const what = { kind: 'url' as const, key, hash: short, probe: probeOf(key), source: source.name }
        await opinions.put({ ...what, ...said, ageDays: null, by: null, asOf: clock.now() })
        news = true
      }
      if (news) told()
    },

    matches: (source: HashListSource, search: HashSearch, prefixes: readonly Buffer[]): readonly HashMatch[] =>
      prefixes.flatMap((prefix) =>
        [...new Set((search.known(prefix) ?? []).map((l) => l.hash))].flatMap((hash) => {
          const said = saidOf(source, search, Buffer.from(hash, 'hex'))
          if (said === null) return []
          const opinion: Omit<Opinion, 'indicator'> = {
            ...said,
            kind: 'url',
            ageDays: null,
            source: source.name,
            asOf: clock.now(),
          }
          return [{ hash, opinion }]
        }),
      ),

    /** What the provider no longer lists ends. @throws when it does not answer. */
    renew: async (source: HashListSource, search: HashSearch, listed: (hash: Buffer) => boolean): Promise<void> => {
      const rows = opinions
        .ofSource(source.name, MAX_OPINIONS)
        .map(({ key }) => ({ key, hash: expressionHash(key), short: shortHash(key) }))
      const still = rows.filter(({ hash }) => listed(hash))
      await search.ask(still.map(({ hash }) => hash))
      const gone = rows.filter(({ hash }) => !listed(hash) || saidOf(source, search, hash) === null)
      for (const { key, short } of gone) await opinions.remove({ hash: short, probe: probeOf(key) }, source.name)
      if (gone.length > 0) told()
    },
  }
}
