/**
 * What is made of a value that never changes (a section of the configuration, a table in it) is made once for it, and goes
 * with it.
 */
export const oncePer = <K extends object, V>(make: (of: K) => V): ((of: K) => V) => {
  const made = new WeakMap<K, { readonly value: V }>()
  return (of) => {
    let entry = made.get(of)
    if (!entry) made.set(of, (entry = { value: make(of) }))
    return entry.value
  }
}
