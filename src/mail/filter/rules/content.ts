import type { AttachmentInfo, TextPart } from '../../message/parsed.ts'
import {
  ArgumentReader,
  BadUse,
  noArguments,
  noComparison,
  patternComparison,
  patternOf,
  textComparison,
} from '../arguments.ts'
import type { Test } from '../ast.ts'
import type { Facts } from '../facts.ts'
import { COST } from './rule.ts'
import type { Predicate, Rule, RuleTable } from './rule.ts'

/** Text and HTML of the same place in the tree are two forms of one text: the larger count is taken. */
const byPlace = (parts: readonly TextPart[]): readonly (readonly TextPart[])[] => {
  const places = new Map<string, TextPart[]>()
  for (const part of parts) {
    const parent = part.path.split('.').slice(0, -1).join('.')
    places.set(parent, [...(places.get(parent) ?? []), part])
  }
  return [...places.values()]
}

const countIn = async (facts: Facts, pattern: string, parts: readonly TextPart[], enough: number): Promise<number> => {
  let total = 0
  for (const place of byPlace(parts)) {
    const text = place.filter((p) => p.kind === 'text')
    const html = place.filter((p) => p.kind === 'html')
    const counts = await Promise.all([facts.count(pattern, text, enough), facts.count(pattern, html, enough)])
    total += Math.max(...counts)
    if (total >= enough) return total
  }
  return total
}

const contains = (texts: (facts: Facts) => readonly TextPart[]): Rule => ({
  cost: COST.text,
  compile: (test) => {
    const args = new ArgumentReader(test.rule, test.args)
    const pattern = args.string('a regular expression')
    const threshold = args.optionalNumber('a threshold', 1)
    args.end()
    noComparison(test)
    patternOf(pattern)
    if (!Number.isInteger(threshold) || threshold < 1) throw new BadUse(`'${test.rule}' needs a threshold above 0.`)
    return async (facts) => (await countIn(facts, pattern, texts(facts), threshold)) >= threshold
  },
})

/** `!=` is true only when there are attachments and none of them matches. */
const attachmentTest = (test: Test, matches: (a: AttachmentInfo) => boolean, wanted: boolean): Predicate => {
  noArguments(test)
  return ({ parsed }) => parsed.attachments.some(matches) === wanted && parsed.attachments.length > 0
}

export const contentRules: RuleTable = {
  'body-contains': contains((facts) => [...facts.parsed.parts, ...facts.parsed.attachedText]),
  'only-body-contains': contains((facts) => facts.parsed.parts),
  'attachment-filename': {
    cost: COST.structure,
    compile: (test) => {
      const { pattern, wanted } = patternComparison(test)
      return attachmentTest(test, (a) => a.name !== null && pattern.test(a.name), wanted)
    },
  },
  'attachment-type': {
    cost: COST.structure,
    compile: (test) => {
      const { text, wanted } = textComparison(test)
      const type = text.trim().toLowerCase()
      if (!/^[a-z*][a-z0-9.+*-]*\/[a-z0-9.+*-]+$/.test(type))
        throw new BadUse('\'attachment-type\' is compared with a MIME type: "image/*".')
      const [major, minor] = type.split('/')
      const matches = (a: AttachmentInfo): boolean => {
        const [m, n] = a.contentType.toLowerCase().split('/')
        return (major === '*' || major === m) && (minor === '*' || minor === n)
      }
      return attachmentTest(test, matches, wanted)
    },
  },
}
