import { oncePer } from '../../core/once-per.ts'

const tableOf = oncePer(
  (entries: readonly { readonly domain: string }[]): ReadonlyMap<string, object> =>
    new Map(entries.map((e) => [e.domain.toLowerCase(), e])),
)

/** The entry of a table for a domain: the exact name, else the nearest `.example.com`. */
export const entryFor = <T extends { readonly domain: string }>(
  domain: string,
  entries: readonly T[],
): T | undefined => {
  const table = tableOf(entries)
  const name = domain.toLowerCase()
  const exact = table.get(name)
  if (exact) return exact as T
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const partial = table.get(name.slice(dot))
    if (partial) return partial as T
  }
  return undefined
}
