import {
  ArgumentReader,
  BadUse,
  comparator,
  noArguments,
  noComparison,
  numberComparison,
  patternComparison,
} from '../arguments.ts'
import type { Test } from '../ast.ts'
import type { Facts } from '../facts.ts'
import { COST } from './rule.ts'
import type { Predicate, RuleTable } from './rule.ts'

const valuesOf = (facts: Facts, name: string): readonly string[] =>
  facts
    .headers()
    .filter((h) => h.name.toLowerCase() === name)
    .map((h) => h.value)

/** Any instance counts; with `!=` none may match, so a missing header is different from everything. */
const headerTest = (test: Test, name: string): Predicate => {
  const lower = name.toLowerCase()
  if (test.comparison === null) return (facts) => valuesOf(facts, lower).length > 0
  const { pattern, wanted } = patternComparison(test)
  return (facts) => valuesOf(facts, lower).some((v) => pattern.test(v)) === wanted
}

const DATE = /^(\d{2})\/(\d{2})\/(\d{4}) (\d{2}):(\d{2}):(\d{2})$/

/** Rules on the message as a whole and on its header. */
export const messageRules: RuleTable = {
  true: {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      noComparison(test)
      return () => true
    },
  },
  valid: {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      noComparison(test)
      return (facts) => facts.parsed.scan.ok
    },
  },
  subject: {
    cost: COST.header,
    compile: (test) => {
      noArguments(test)
      return headerTest(test, 'subject')
    },
  },
  header: {
    cost: COST.header,
    compile: (test) => {
      const args = new ArgumentReader(test.rule, test.args)
      const name = args.string('the name of a header')
      args.end()
      return headerTest(test, name)
    },
  },
  'body-size': {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const holds = numberComparison(test)
      return (facts) => holds(facts.bytes)
    },
  },
  random: {
    cost: COST.header,
    compile: (test) => {
      const args = new ArgumentReader(test.rule, test.args)
      const max = args.number('a number')
      args.end()
      if (!Number.isInteger(max) || max < 1 || max > 2 ** 31) throw new BadUse("'random' needs a whole number above 0.")
      const holds = test.comparison ? numberComparison(test) : (n: number) => n !== 0
      return (facts) => holds(facts.random(max))
    },
  },
  date: {
    cost: COST.header,
    compile: (test) => {
      noArguments(test)
      const c = test.comparison
      const m = c?.value.kind === 'string' ? DATE.exec(c.value.text) : null
      if (!c || !m) throw new BadUse("'date' is compared with a local time: date > '12/31/2026 23:59:59'.")
      const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = m.slice(1).map(Number)
      const local = Date.UTC(year, month - 1, day, hour, minute, second)
      if (new Date(local).getUTCDate() !== day) throw new BadUse("'date' is compared with a day that does not exist.")
      const holds = comparator(c.operator, local)
      return (facts) => holds(Math.floor(facts.now.getTime() / 1000 + facts.offsetSeconds) * 1000)
    },
  },
}
