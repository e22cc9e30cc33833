import fc from 'fast-check'
import * as v from 'valibot'
import type { AnySection, ConfigDocument } from '../../src/config/document.ts'

interface Node {
  readonly type: string
  readonly pipe?: readonly (Node & { readonly requirement?: unknown })[]
  readonly entries?: Readonly<Record<string, Node>>
  readonly item?: Node
  readonly wrapped?: Node
  readonly options?: readonly string[]
}

const requirement = (node: Node, type: string): unknown =>
  (node.pipe ?? []).map((step) => (step.type === type ? step.requirement : undefined)).find((r) => r !== undefined)

/** Texts that pass the hand-written checks of some sections. */
const LIKELY = [
  'mail.example.com',
  'a',
  '127.0.0.1',
  '::1',
  'x.example',
  'https://links.example.com',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJLPf51p1Elp47TFau42xpPOQADjd4S5OBZGQfI9URcs',
]

const texts = (node: Node): fc.Arbitrary<string> => {
  const regex = requirement(node, 'regex') as RegExp | undefined
  const max = Math.min((requirement(node, 'max_length') as number | undefined) ?? 40, 40)
  const any = fc.oneof(
    fc.string({ maxLength: max, unit: 'binary' }),
    fc.string({ maxLength: max, unit: 'grapheme' }),
    fc.constantFrom(
      ' ',
      ' a ',
      '\n',
      '\r\n',
      '\t',
      '*',
      '\ud800',
      '\u0000',
      '&amp;',
      '<![CDATA[x]]>',
      ']]>',
      '007',
      'true',
      '1e3',
    ),
  )
  const made = regex ? fc.stringMatching(regex) : fc.oneof(any, fc.constantFrom(...LIKELY))
  return made.filter((s) => v.is(node as unknown as v.GenericSchema, s))
}

/** Valid values of a valibot schema of the kinds that sections use. */
const values = (node: Node): fc.Arbitrary<unknown> => {
  switch (node.type) {
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(node.entries ?? {}).map(([k, e]) => [k, values(e)])))
    case 'array':
      return fc.array(values(node.item as Node), {
        minLength: (requirement(node, 'min_length') as number | undefined) ?? 0,
        maxLength: 3,
      })
    case 'nullable':
      return fc.option(values(node.wrapped as Node), { nil: null })
    case 'boolean':
      return fc.boolean()
    case 'number':
      return fc.integer({
        min: (requirement(node, 'min_value') as number | undefined) ?? -1000,
        max: (requirement(node, 'max_value') as number | undefined) ?? 1000,
      })
    case 'picklist':
      return fc.constantFrom(...(node.options ?? []))
    default:
      return texts(node)
  }
}

export const sectionValues = (section: AnySection): fc.Arbitrary<unknown> => values(section.schema)

/** Documents in which every section is valid by its own schema (cross-section rules are not looked at). */
export const documents = (sections: readonly AnySection[]): fc.Arbitrary<ConfigDocument> =>
  fc.record(Object.fromEntries(sections.map((s) => [s.name, sectionValues(s)])))
