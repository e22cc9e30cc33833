import { sameValue } from './document.ts'
import type { AnySection } from './document.ts'
import type { Change } from './section.ts'
import { fieldWord, shapeOf } from './shape.ts'
import type { Shape } from './shape.ts'

/** What stands for text that must not be shown. */
export const MASK = '*****'

/** Members by which the items of a list are told apart, the first that all items have and none shares. */
const KEYS = ['name', 'domain', 'address'] as const

type Segments = readonly string[]

const change = (segments: Segments, before: unknown, after: unknown): Change => ({
  path: segments.join('.'),
  segments,
  before,
  after,
})

const isScalar = (shape: Shape): boolean =>
  shape.kind === 'nullable' ? isScalar(shape.wrapped) : shape.kind !== 'object' && shape.kind !== 'array'

const isSecret = (shape: Shape): boolean =>
  shape.kind === 'nullable' ? isSecret(shape.wrapped) : shape.kind === 'string' && shape.secret

const scalarChange = (shape: Shape, at: Segments, before: unknown, after: unknown): Change => {
  if (!isSecret(shape)) return change(at, before, after)
  const shown = (value: unknown): unknown => (value === undefined || value === null ? value : MASK)
  const both = typeof before === 'string' && typeof after === 'string'
  return change(at, shown(before), both ? `${MASK} (changed)` : shown(after))
}

/** A key for each item, or null when the items have none that is unique. */
const itemKeys = (items: readonly unknown[]): readonly string[] | null => {
  for (const key of KEYS) {
    const found = items.map((item) => (item as Readonly<Record<string, unknown>>)[key])
    if (found.every((f) => typeof f === 'string') && new Set(found).size === found.length) return found
  }
  return null
}

const orderChange = (at: Segments, before: readonly string[], after: readonly string[]): readonly Change[] => {
  const kept = (list: readonly string[], other: readonly string[]): readonly string[] =>
    list.filter((k) => other.includes(k))
  const [b, a] = [kept(before, after), kept(after, before)]
  return sameValue(b, a) ? [] : [change([...at, '(order)'], b.join(', '), a.join(', '))]
}

const scalarList = (
  item: Shape,
  at: Segments,
  before: readonly unknown[],
  after: readonly unknown[],
): readonly Change[] => {
  const rest = [...after]
  const removed = before.filter((b) => {
    const i = rest.findIndex((a) => sameValue(a, b))
    if (i >= 0) rest.splice(i, 1)
    return i < 0
  })
  const changes = [
    ...removed.map((b) => scalarChange(item, at, b, undefined)),
    ...rest.map((a) => scalarChange(item, at, undefined, a)),
  ]
  return changes.length > 0 ? changes : [change([...at, '(order)'], before.join(', '), after.join(', '))]
}

const list = (item: Shape, at: Segments, before: readonly unknown[], after: readonly unknown[]): readonly Change[] => {
  if (isScalar(item)) return scalarList(item, at, before, after)
  const [oldKeys, newKeys] = [itemKeys(before), itemKeys(after)]
  if (oldKeys && newKeys) {
    const all = [...oldKeys, ...newKeys.filter((k) => !oldKeys.includes(k))]
    const changes = all.flatMap((key) =>
      differ(item, [...at, key], before[oldKeys.indexOf(key)], after[newKeys.indexOf(key)]),
    )
    return [...changes, ...orderChange(at, oldKeys, newKeys)]
  }
  return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => i).flatMap((i) =>
    differ(item, [...at, String(i + 1)], before[i], after[i]),
  )
}

const differ = (shape: Shape, at: Segments, before: unknown, after: unknown): readonly Change[] => {
  if (sameValue(before, after)) return []
  if (isScalar(shape)) return [scalarChange(shape, at, before, after)]
  switch (shape.kind) {
    case 'nullable':
      return differ(shape.wrapped, at, before ?? undefined, after ?? undefined)
    case 'array': {
      const [b, a] = [(before ?? []) as readonly unknown[], (after ?? []) as readonly unknown[]]
      // An empty list that comes or goes with its owner has no member to show.
      return b.length === 0 && a.length === 0
        ? [change(at, before && '(empty)', after && '(empty)')]
        : list(shape.item, at, b, a)
    }
    case 'object':
      return Object.entries(shape.entries).flatMap(([key, entry]) =>
        differ(entry, [...at, fieldWord(key)], member(before, key), member(after, key)),
      )
    default:
      return []
  }
}

const member = (value: unknown, key: string): unknown => (value as Readonly<Record<string, unknown>> | undefined)?.[key]

/** What turns one value of a section into another: leaves only, secrets masked; empty exactly when they are equal. */
export const diffSection = (section: AnySection, before: unknown, after: unknown): readonly Change[] =>
  differ(shapeOf(section.schema), [section.name], before, after)
