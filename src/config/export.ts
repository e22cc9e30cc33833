import { MASK } from './diff.ts'
import type { AnySection, ConfigDocument } from './document.ts'
import type { SecretBox } from './secrets.ts'
import type { ExportOptions } from './store.ts'
import { fieldWord, shapeOf } from './shape.ts'
import type { Shape } from './shape.ts'
import { NOT_XML } from './xml-scan.ts'

/** Raw in the file would be changed by a parser (CR), end the text (<, &) or disturb a terminal (C1, bidi, separators). */
const REFERENCES = /[<>&\r\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/g

const escapeText = (text: string): string =>
  text.replace(REFERENCES, (c) => {
    if (c === '<') return '&lt;'
    if (c === '>') return '&gt;'
    return c === '&' ? '&amp;' : `&#${c.charCodeAt(0)};`
  })

/** JSON in ASCII: the way of text that XML cannot carry (NUL, other controls, halves of characters). */
const asciiJson = (text: string): string =>
  JSON.stringify(text).replace(/[^\u0020-\u007e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The element of a list's items: `listeners` → `listener`, `policies` → `policy`; `item` where there is no singular. */
export const itemWord = (word: string): string => {
  const last = /[a-z]+$/.exec(word)?.[0] ?? ''
  const stem = word.slice(0, word.length - last.length)
  if (/[^aeiou]ies$/.test(last)) return `${stem}${last.slice(0, -3)}y`
  if (/(ss|x|ch|sh)es$/.test(last)) return `${stem}${last.slice(0, -2)}`
  return /[^s]s$/.test(last) ? `${stem}${last.slice(0, -1)}` : 'item'
}

interface Context extends ExportOptions {
  readonly secrets: SecretBox
}

const leaf = (word: string, text: string, indent: string, attributes = ''): string => {
  if (NOT_XML.test(text))
    return `${indent}<${word}${attributes} encoding="json">${escapeText(asciiJson(text))}</${word}>`
  return `${indent}<${word}${attributes}>${escapeText(text)}</${word}>`
}

const secretLeaf = (word: string, text: string, indent: string, { passphrases, secrets }: Context): string =>
  passphrases === 'mask'
    ? leaf(word, MASK, indent, ' secret="masked"')
    : leaf(word, secrets.seal(text), indent, ' secret="encrypted"')

function* write(
  shape: Shape,
  word: string,
  value: unknown,
  indent: string,
  context: Context,
  attributes = '',
): Generator<string> {
  if (shape.kind === 'nullable') {
    if (value === null) yield `${indent}<${word} nil="true"/>`
    else yield* write(shape.wrapped, word, value, indent, context)
  } else if (shape.kind === 'object' || shape.kind === 'array') {
    const parts: readonly (readonly [Shape, string, unknown])[] =
      shape.kind === 'array'
        ? (value as readonly unknown[]).map((item) => [shape.item, itemWord(word), item] as const)
        : Object.entries(shape.entries).map(
            ([key, entry]) => [entry, fieldWord(key), (value as Readonly<Record<string, unknown>>)[key]] as const,
          )
    if (parts.length === 0) {
      yield `${indent}<${word}${attributes}/>`
      return
    }
    yield `${indent}<${word}${attributes}>`
    for (const [inner, name, member] of parts) yield* write(inner, name, member, `${indent}  `, context)
    yield `${indent}</${word}>`
  } else if (shape.kind === 'string' && shape.secret) yield secretLeaf(word, String(value), indent, context)
  else yield leaf(word, String(value), indent)
}

const PASSPHRASE_NOTE: Readonly<Record<ExportOptions['passphrases'], string>> = {
  mask: 'masked: a file with masked passphrases cannot be loaded with loadconfig',
  encrypt: 'encrypted with the key of this appliance (keys/secrets.key)',
}

/** The lines of the configuration file. `header` are the `Product: …` lines of the comment on top. */
export function* exportLines(
  sections: readonly AnySection[],
  document: ConfigDocument,
  options: Context,
): Generator<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>'
  yield ''
  yield '<!--'
  // Two hyphens in a row may not stand in a comment (XML 1.0 §2.5).
  for (const line of options.header) yield `  ${line.replace(/-(?=-)/g, '- ')}`
  yield `  Passphrases: ${PASSPHRASE_NOTE[options.passphrases]}`
  yield '-->'
  yield '<config>'
  for (const section of sections) {
    const version = ` version="${section.version}"`
    yield* write(shapeOf(section.schema), section.name, document[section.name], '  ', options, version)
  }
  yield '</config>'
}
