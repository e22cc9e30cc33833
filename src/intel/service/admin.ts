import type { Clock } from '../../core/clock.ts'
import { UserError } from '../../core/errors.ts'
import { printableCut } from '../../core/text.ts'
import type { IntelStore } from '../../store/repositories/intel.ts'
import { OPERATOR } from '../combine.ts'
import { parseIndicator, scopesOf } from '../indicator.ts'
import type { Indicator } from '../indicator.ts'
import { levelOfWord, LEVEL_WORDS, scoreOf, threatWord } from '../levels.ts'
import type { IntelAdmin, IntelChange } from '../lookup.ts'
import { judge, toOpinion } from '../opinions.ts'
import { shortHash } from '../url/hash.ts'
import { probeOf } from '../url/watch-keys.ts'
import type { DnsLists } from '../sources/dns-lists.ts'
import type { HashLists } from '../sources/hash-lists.ts'
import type { RetroLedger } from './retro.ts'

/** Verdicts by the operator. They act at once. */
export type VerdictAdmin = Pick<IntelAdmin, 'set' | 'show' | 'explain'> & {
  /** null = the operator had said nothing of it. */
  remove(indicator: string, user: string): Promise<IntelChange | null>
}

const MAX_SHOWN = 10_000
const MAX_TEXT = 256

const indicatorOf = (text: string): Indicator => {
  const parsed = parseIndicator(text)
  if (!parsed.ok) throw new UserError(parsed.error)
  return parsed.value
}

export const createVerdictAdmin = (deps: {
  readonly store: IntelStore
  readonly clock: Clock
  readonly retro: RetroLedger
  /** Caches forget what they knew. */
  readonly changed: () => void
  readonly lists: Pick<DnsLists, 'ask'> | undefined
  readonly hashes: Pick<HashLists, 'confirm'> | undefined
}): VerdictAdmin => {
  const { store, clock, retro, changed, lists, hashes } = deps
  const wordFor = (indicator: Indicator): string => threatWord(judge(store.opinions, scopesOf(indicator)).level)

  /** Runs the change; when the verdict has become malicious thereby, the watched URLs are looked at. */
  const change = async (indicator: Indicator, act: () => Promise<unknown>): Promise<IntelChange> => {
    const before = wordFor(indicator)
    await act()
    changed()
    const after = wordFor(indicator)
    // Also taking away a good word can uncover a bad one of somebody else.
    const retrospections = await retro.changed(probeOf(indicator.key))
    return { indicator: indicator.key, kind: indicator.kind, before, after, retrospections }
  }

  return {
    set: async (text, word, options) => {
      const indicator = indicatorOf(text)
      const level = levelOfWord(word)
      if (level === null) throw new UserError(`'${printableCut(word, 40)}' is not a level. Use one of: ${LEVEL_WORDS}.`)
      const { category = '', reason = '', ageDays = null } = options
      return await change(indicator, () =>
        store.opinions.put({
          ...indicator,
          hash: shortHash(indicator.key),
          probe: probeOf(indicator.key),
          source: OPERATOR,
          level,
          category: category.trim() === '' ? null : category.trim().slice(0, MAX_TEXT),
          ageDays,
          reason: reason.trim() === '' ? 'set by the operator' : reason.trim().slice(0, MAX_TEXT),
          by: options.user,
          asOf: clock.now(),
        }),
      )
    },
    remove: async (text) => {
      const indicator = indicatorOf(text)
      const hash = shortHash(indicator.key)
      if (!store.opinions.bearingOn([hash]).some((o) => o.source === OPERATOR)) return null
      return await change(indicator, () => store.opinions.remove({ hash, probe: probeOf(indicator.key) }, OPERATOR))
    },
    show: (text) => {
      if (text === undefined) return store.opinions.ofSource(OPERATOR, MAX_SHOWN).map(toOpinion)
      return store.opinions.bearingOn([shortHash(indicatorOf(text).key)]).map(toOpinion)
    },
    explain: async (text) => {
      const indicator = indicatorOf(text)
      if (indicator.kind === 'url') await hashes?.confirm([indicator.key])
      const asked = await lists?.ask([indicator.host])
      const decision = judge(store.opinions, scopesOf(indicator), asked?.(indicator.host))
      return {
        indicator: indicator.key,
        verdict: threatWord(decision.level),
        score: scoreOf(decision.level),
        rule: decision.rule,
        opinions: decision.opinions,
      }
    },
  }
}
