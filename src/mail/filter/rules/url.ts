import { ArgumentReader, BadUse, noComparison } from '../arguments.ts'
import type { FoundUrl } from '../../../intel/url/found.ts'
import type { Test } from '../ast.ts'
import type { Resources } from '../resources.ts'
import { matchingUrls, readCategories, readRange, readUrlList, tellMatches, withoutScore } from '../urls.ts'
import type { VerdictTest } from '../urls.ts'
import { COST } from './rule.ts'
import type { Predicate, RuleTable } from './rule.ts'

/** The last two arguments are 0 or 1: URLs of attachments (default 0), URLs of body and subject (default 1). */
const readWhere = (args: ArgumentReader, rule: string): ((found: FoundUrl) => boolean) => {
  const flag = (what: string, initial: number): boolean => {
    const n = args.optionalNumber(what, initial)
    if (n !== 0 && n !== 1) throw new BadUse(`The last two arguments of '${rule}' are 0 or 1.`)
    return n === 1
  }
  const attachments = flag('0 or 1 for attachments', 0)
  const body = flag('0 or 1 for the body', 1)
  return ({ where }) => (where === 'attachment' ? attachments : body)
}

const urlRule = (
  test: Test,
  resources: Resources,
  read: (args: ArgumentReader) => VerdictTest,
  name = 'URL Reputation Rule',
): Predicate => {
  const args = new ArgumentReader(test.rule, test.args)
  const verdict = read(args)
  const listed = readUrlList(args, resources)
  const within = readWhere(args, test.rule)
  args.end()
  noComparison(test)
  return async (facts) => {
    const matches = await matchingUrls(facts, verdict, listed, within)
    tellMatches(facts, matches, 'Condition', name)
    return matches.length > 0
  }
}

export const urlRules: RuleTable = {
  'url-reputation': { cost: COST.lookup, compile: (test, resources) => urlRule(test, resources, readRange) },
  'url-no-reputation': {
    cost: COST.lookup,
    compile: (test, resources) => urlRule(test, resources, () => withoutScore),
  },
  'url-category': {
    cost: COST.lookup,
    compile: (test, resources) => urlRule(test, resources, readCategories, 'URL Category Rule'),
  },
}
