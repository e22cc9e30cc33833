/** Entries of a table by domain: the exact name, else the nearest `.example.com`. Built once per table. */
const tables = new WeakMap<readonly object[], ReadonlyMap<string, object>>()

export const entryFor = <T extends { readonly domain: string }>(
  domain: string,
  entries: readonly T[],
): T | undefined => {
  let table = tables.get(entries)
  if (!table) tables.set(entries, (table = new Map(entries.map((e) => [e.domain.toLowerCase(), e]))))
  const name = domain.toLowerCase()
  const exact = table.get(name)
  if (exact) return exact as T
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const partial = table.get(name.slice(dot))
    if (partial) return partial as T
  }
  return undefined
}
