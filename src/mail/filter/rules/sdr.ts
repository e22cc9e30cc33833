import { levelsForWord, SDR_WORDS } from '../../../intel/sdr/vocabulary.ts'
import type { SenderVerdict } from '../../../intel/verdict.ts'
import { addressesIn, domainOf } from '../../message/addresses.ts'
import { ArgumentReader, BadUse, comparator, noComparison } from '../arguments.ts'
import type { Facts } from '../facts.ts'
import type { Resources } from '../resources.ts'
import { COST } from './rule.ts'
import type { RuleTable } from './rule.ts'

const UNIT_DAYS: Readonly<Record<string, number>> = { day: 1, month: 30, year: 365 }

/** The filter's own domain exception list, over the same domains that `sdrconfig` names. */
const exceptionOf = (list: string | null, resources: Resources): ((facts: Facts) => boolean) => {
  if (list === null) return () => false
  const listed = resources.domainList(list)
  if (!listed) throw new BadUse(`There is no address list of domains '${list}'. Create it with addresslistconfig.`)
  return (facts) => {
    const { found, cut } = facts.exceptionOnEnvelopeOnly
      ? { found: [], cut: false }
      : addressesIn(facts.headers(), 'from', 'reply-to')
    // One that is not listed may stand among those that were not looked at.
    if (cut) return false
    const addresses = [facts.entry.sender, ...found.map((a) => a.address)]
    const domains = addresses.map(domainOf).filter((d) => d !== null)
    // All of them: a listed From cannot be borrowed to carry an unlisted envelope past the check.
    return domains.length > 0 && domains.every(listed)
  }
}

const verdictOf = (facts: Facts): SenderVerdict | null =>
  facts.findings.sdr?.kind === 'verdict' ? facts.findings.sdr.verdict : null

export const sdrRules: RuleTable = {
  'sdr-reputation': {
    cost: COST.verdict,
    compile: (test, resources) => {
      const args = new ArgumentReader(test.rule, test.args)
      const words = args.strings('a list of levels')
      const excepted = exceptionOf(args.listName(), resources)
      args.end()
      noComparison(test)
      const wanted = new Set(
        words.flatMap((word) => {
          const levels = levelsForWord(word)
          if (levels.length === 0)
            throw new BadUse(`'${word}' is no sender reputation. Known are ${SDR_WORDS.join(', ')}.`)
          return levels
        }),
      )
      return (facts) => {
        const verdict = verdictOf(facts)
        return verdict !== null && wanted.has(verdict.level) && !excepted(facts)
      }
    },
  },
  'sdr-age': {
    cost: COST.verdict,
    compile: (test, resources) => {
      const args = new ArgumentReader(test.rule, test.args)
      const unit = args.string('a unit').toLowerCase()
      noComparison(test)
      if (unit === 'unknown') {
        const excepted = exceptionOf(args.listName(), resources)
        args.end()
        return (facts) => verdictOf(facts)?.ageDays === null && !excepted(facts)
      }
      const days = UNIT_DAYS[unit.replace(/s$/, '')]
      if (days === undefined)
        throw new BadUse(`'sdr-age' knows the units days, months, years and unknown, not '${unit}'.`)
      const operator = args.operator()
      const n = args.number('an age')
      const excepted = exceptionOf(args.listName(), resources)
      args.end()
      const holds = comparator(operator, n)
      // `== 2 months` means two whole months; the other operators compare the exact age.
      const age = (d: number): number => (operator === '==' || operator === '!=' ? Math.floor(d / days) : d / days)
      return (facts) => {
        const ageDays = verdictOf(facts)?.ageDays ?? null
        return ageDays !== null && holds(age(ageDays)) && !excepted(facts)
      }
    },
  },
  'sdr-unscannable': {
    cost: COST.verdict,
    compile: (test, resources) => {
      const args = new ArgumentReader(test.rule, test.args)
      const excepted = exceptionOf(args.listName(), resources)
      args.end()
      noComparison(test)
      return (facts) => facts.findings.sdr?.kind === 'unscanned' && !excepted(facts)
    },
  },
}
