import { BadUse, noArguments, numberComparison, patternComparison, textComparison } from '../arguments.ts'
import { addressMatcher } from './ip.ts'
import { COST } from './rule.ts'
import type { RuleTable } from './rule.ts'

/** Rules on the envelope and the connection. A message has one match when any recipient has. */
export const envelopeRules: RuleTable = {
  'mail-from': {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const { pattern, wanted } = patternComparison(test, true)
      return (facts) => pattern.test(facts.entry.sender) === wanted
    },
  },
  'rcpt-to': {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const { pattern, wanted } = patternComparison(test, true)
      return (facts) => facts.entry.recipients.some((r) => pattern.test(r.address) === wanted)
    },
  },
  'rcpt-count': {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const holds = numberComparison(test)
      return (facts) => holds(facts.entry.recipients.length)
    },
  },
  'remote-ip': {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const { text, wanted } = textComparison(test)
      const matches = addressMatcher(text)
      if (!matches)
        throw new BadUse(`'${text}' is no address pattern: use 10.1.1.1, 10.1.1.0/24, 10.1.1., 10.1.1.50-55 or IPv6.`)
      return (facts) => matches(facts.entry.remoteAddress) === wanted
    },
  },
  sendergroup: {
    cost: COST.envelope,
    compile: (test) => {
      noArguments(test)
      const { pattern, wanted } = patternComparison(test)
      return (facts) => pattern.test(facts.entry.senderGroup ?? '') === wanted
    },
  },
  'recv-listener': {
    cost: COST.envelope,
    compile: (test, resources) => {
      noArguments(test)
      const { text, wanted } = textComparison(test)
      if (!resources.hasListener(text)) throw new BadUse(`There is no listener '${text}'. Names are case-sensitive.`)
      return (facts) => (facts.entry.listener === text) === wanted
    },
  },
}
