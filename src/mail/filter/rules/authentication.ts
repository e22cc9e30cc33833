import { ArgumentReader, BadUse, noArguments, noComparison, textComparison } from '../arguments.ts'
import { COST } from './rule.ts'
import type { RuleTable } from './rule.ts'

const SPF_WORDS = ['none', 'pass', 'neutral', 'softfail', 'fail', 'temperror', 'permerror']
const DKIM_WORDS = ['pass', 'neutral', 'temperror', 'permerror', 'hardfail', 'none']

const wordsOf = (rule: string, text: string, known: readonly string[]): ReadonlySet<string> => {
  const words = text
    .split(',')
    .map((w) => w.trim().toLowerCase())
    .filter((w) => w !== '')
  const wrong = words.find((w) => !known.includes(w))
  if (wrong !== undefined || words.length === 0)
    throw new BadUse(`'${rule}' knows the results ${known.join(', ')}, not '${wrong ?? text}'.`)
  return new Set(words)
}

export const authenticationRules: RuleTable = {
  'spf-status': {
    cost: COST.verdict,
    compile: (test) => {
      const args = new ArgumentReader(test.rule, test.args)
      const identity = args.more ? args.string('an identity').toLowerCase() : null
      args.end()
      if (identity !== null && identity !== 'helo' && identity !== 'mailfrom')
        throw new BadUse(`'spf-status' knows the identities "helo" and "mailfrom"; "${identity}" is not verified.`)
      const { text, wanted } = textComparison(test)
      const words = wordsOf(test.rule, text, SPF_WORDS)
      return ({ findings: { spf } }) => {
        const results = spf === null ? ['None'] : identity === null ? [spf.helo, spf.mailfrom] : [spf[identity]]
        return results.some((r) => words.has(r.toLowerCase())) === wanted
      }
    },
  },
  'spf-passed': {
    cost: COST.verdict,
    compile: (test) => {
      noArguments(test)
      noComparison(test)
      return ({ findings: { spf } }) => spf?.mailfrom === 'Pass' || spf?.helo === 'Pass'
    },
  },
  'dkim-authentication': {
    cost: COST.verdict,
    compile: (test) => {
      noArguments(test)
      const { text, wanted } = textComparison(test)
      const words = wordsOf(test.rule, text, DKIM_WORDS)
      return ({ findings: { dkim } }) => words.has(dkim ?? 'none') === wanted
    },
  },
}
