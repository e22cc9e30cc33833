import { oncePer } from '../core/once-per.ts'
import type { Schema } from '../core/schema.ts'

/**
 * What a valibot schema of a section looks like to code that walks values: the XML file, secrets and differences.
 * Sections use only these kinds; a test walks every section, so that a new kind cannot slip in unread.
 */
export type Shape =
  | { readonly kind: 'object'; readonly entries: Readonly<Record<string, Shape>> }
  | { readonly kind: 'array'; readonly item: Shape }
  | { readonly kind: 'nullable'; readonly wrapped: Shape }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number' }
  | { readonly kind: 'picklist'; readonly options: readonly string[] }
  | { readonly kind: 'string'; readonly secret: boolean }

interface Node {
  readonly type: string
  readonly pipe?: readonly Node[]
  readonly entries?: Readonly<Record<string, Node>>
  readonly item?: Node
  readonly wrapped?: Node
  readonly options?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
}

const isSecret = (node: Node): boolean =>
  node.metadata?.['secret'] === true || (node.pipe ?? []).some((step) => step !== node && isSecret(step))

const read = (node: Node): Shape => {
  switch (node.type) {
    case 'object':
      return {
        kind: 'object',
        entries: Object.fromEntries(Object.entries(node.entries ?? {}).map(([key, entry]) => [key, read(entry)])),
      }
    case 'array':
      return { kind: 'array', item: read(node.item as Node) }
    case 'nullable':
      return { kind: 'nullable', wrapped: read(node.wrapped as Node) }
    case 'boolean':
    case 'number':
      return { kind: node.type }
    case 'picklist':
      return { kind: 'picklist', options: node.options ?? [] }
    case 'string':
      return { kind: 'string', secret: isSecret(node) }
    default:
      throw new Error(`configuration sections cannot use the schema '${node.type}'`)
  }
}

/** @throws Error when the schema uses a kind that the configuration file cannot carry. */
export const shapeOf = oncePer((schema: Schema<never>): Shape => read(schema))

/** `initialRetrySeconds` → `initial_retry_seconds`: the word for a field in the XML file and in showchanges. */
export const fieldWord = (key: string): string => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
