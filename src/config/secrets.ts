import type { AnySection } from './document.ts'
import { shapeOf } from './shape.ts'
import type { Shape } from './shape.ts'

/** Encrypts secret text with a key that is not in the database. Sealed text names its key, so that a wrong key is told apart. */
export interface SecretBox {
  seal(plain: string): string
  /** @throws UserError that names the reason (another key, damaged text) and never the text. */
  open(sealed: string): string
}

export type Keys = readonly (string | number)[]

/** A copy of a section's value in which `change` replaced every secret that is set. */
export const mapSecrets = (
  section: AnySection,
  value: unknown,
  change: (secret: string, path: Keys, nullable: boolean) => string | null,
): unknown => walk(shapeOf(section.schema), value, [], false, change)

const walk = (
  shape: Shape,
  value: unknown,
  path: Keys,
  nullable: boolean,
  change: (secret: string, path: Keys, nullable: boolean) => string | null,
): unknown => {
  if (value === null || value === undefined) return value
  switch (shape.kind) {
    case 'string':
      return shape.secret && typeof value === 'string' ? change(value, path, nullable) : value
    case 'nullable':
      return walk(shape.wrapped, value, path, true, change)
    case 'array':
      return Array.isArray(value) ? value.map((item, i) => walk(shape.item, item, [...path, i], false, change)) : value
    case 'object':
      if (typeof value !== 'object') return value
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => {
          const entry = shape.entries[key]
          return [key, entry ? walk(entry, member, [...path, key], false, change) : (member as unknown)]
        }),
      )
    default:
      return value
  }
}
