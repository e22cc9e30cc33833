import { XMLParser } from 'fast-xml-parser'
import { ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { decodeText, lineIndex, scanXml } from './xml-scan.ts'
import type { LineError } from './store.ts'

/** An element of a configuration file. Text stays text: only the schema turns it into numbers and truth values. */
export interface XmlElement {
  readonly name: string
  readonly line: number
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Exactly as written, references decoded, white space kept. */
  readonly text: string
}

type RawNode = Readonly<Record<string, unknown>>

const META = XMLParser.getMetaDataSymbol() as symbol

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: '#text',
  cdataPropName: '#cdata',
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  ignoreDeclaration: true,
  captureMetaData: true,
})

const textOf = (nodes: readonly RawNode[]): string =>
  nodes
    .map((node) => {
      if (typeof node['#text'] === 'string') return decodeText(node['#text'])
      // A CDATA section is a list with one text node, and is not decoded.
      const cdata = node['#cdata'] as readonly RawNode[] | undefined
      return cdata ? cdata.map((c) => String(c['#text'])).join('') : ''
    })
    .join('')

const elements = (nodes: readonly RawNode[], lineAt: (offset: number) => number): readonly XmlElement[] =>
  nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ':@' && !key.startsWith('#'))
    if (name === undefined) return []
    const meta = (node as Readonly<Record<symbol, { readonly startIndex?: number } | undefined>>)[META]
    const inner = node[name] as readonly RawNode[]
    return [
      {
        name,
        line: lineAt(meta?.startIndex ?? 0),
        attributes: (node[':@'] ?? {}) as Readonly<Record<string, string>>,
        children: elements(inner, lineAt),
        text: textOf(inner),
      },
    ]
  })

/** The root element of an XML text, or the line at which it is not well-formed. */
export const parseXml = (source: string): Result<XmlElement, LineError> => {
  const scanned = scanXml(source)
  if (!scanned.ok) return scanned
  const roots = elements(parser.parse(scanned.value) as readonly RawNode[], lineIndex(scanned.value))
  return ok(roots[0] as XmlElement)
}
