/** A CSV line: commas, values in double quotes with doubled quotes inside. null = a quote is not closed. */
export const csvFields = (line: string): readonly string[] | null => {
  const out: string[] = []
  for (let at = 0; ;) {
    while (line[at] === ' ' || line[at] === '\t') at++
    let value = ''
    if (line[at] === '"') {
      for (at++; ; at++) {
        if (at >= line.length) return null
        if (line[at] !== '"') value += line[at] as string
        else if (line[at + 1] === '"') value += line[at++] as string
        else break
      }
      at++
      while (line[at] === ' ' || line[at] === '\t') at++
      if (at < line.length && line[at] !== ',') return null
    } else {
      const comma = line.indexOf(',', at)
      const end = comma < 0 ? line.length : comma
      value = line.slice(at, end).trim()
      at = end
    }
    out.push(value)
    if (at >= line.length) return out
    at++
  }
}
