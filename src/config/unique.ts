import type { Issue } from '../core/errors.ts'

/** An error per name that stands twice in a list section. */
export const uniqueNames = (path: string, items: readonly { readonly name: string }[]): readonly Issue[] => {
  const seen = new Set<string>()
  return items.flatMap(({ name }) => {
    if (!seen.has(name)) {
      seen.add(name)
      return []
    }
    return [
      { path: `${path}.${name}`, message: `The name '${name}' is used twice in ${path}.`, severity: 'error' as const },
    ]
  })
}
