/**
 * Entries of an address list read as domains: `example.com` and `@example.com` name that domain, `.example.com` and
 * `@.example.com` every domain below it. A full address says nothing about its domain.
 */
export const domainListMatcher = (entries: readonly string[]): ((domain: string) => boolean) => {
  const exact = new Set<string>()
  const below: string[] = []
  for (const entry of entries) {
    const at = entry.lastIndexOf('@')
    const domain = entry
      .slice(at + 1)
      .trim()
      .toLowerCase()
      .replace(/\.$/, '')
    if (domain === '' || at > 0) continue
    if (domain.startsWith('.')) below.push(domain)
    else exact.add(domain)
  }
  return (domain) => {
    const name = domain.toLowerCase().replace(/\.$/, '')
    return exact.has(name) || below.some((suffix) => name.endsWith(suffix))
  }
}
