/**
 * Entries of a list of domains: `example.com`, `@example.com` name that domain, `.example.com` and `@.example.com` every
 * domain below it.
 */
export const addressListMatcher = (entries: readonly string[]): ((domain: string) => boolean) => {
  const exact = new Set<string>()
  const below: string[] = []
  for (const entry of entries) {
    const at = entry.lastIndexOf('@')
    const domain = entry
      .slice(at + 1)
      .trim()
      .toLowerCase()
      .replace(/\.$/, '')
    // A full address in a list of all kinds says nothing about its domain.
    if (domain === '' || at > 0) continue
    if (domain.startsWith('.')) below.push(domain)
    else exact.add(domain)
  }
  return (domain) => {
    const name = domain.toLowerCase()
    return exact.has(name) || below.some((suffix) => name.endsWith(suffix))
  }
}
