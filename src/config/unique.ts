import type { Issue } from '../core/errors.ts'

/** The keys that stand twice, each as often as it does so again. */
export const repeated = (keys: readonly string[]): readonly string[] => {
  const seen = new Set<string>()
  return keys.filter((key) => {
    const known = seen.has(key)
    seen.add(key)
    return known
  })
}

/** An error per name that stands twice in a list section. */
export const uniqueNames = (path: string, items: readonly { readonly name: string }[]): readonly Issue[] =>
  repeated(items.map(({ name }) => name)).map((name) => ({
    path: `${path}.${name}`,
    message: `The name '${name}' is used twice in ${path}.`,
    severity: 'error',
  }))
