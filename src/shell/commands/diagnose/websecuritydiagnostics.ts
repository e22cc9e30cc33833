import type { Times } from '../../../intel/lookup.ts'
import { EVERYONE, defineCommand } from '../../command.ts'

/** As Python prints a number with a fraction: `0.0`, `9.4198775`, `None`. */
const number = (n: number | null): string => {
  if (n === null) return 'None'
  const rounded = Math.round(n * 1e9) / 1e9
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded)
}

const times = (title: string, t: Times): readonly string[] => [
  '',
  `${title}:`,
  `  Minimum: ${number(t.minimum)}`,
  `  Average: ${number(t.average)}`,
  `  Maximum: ${number(t.maximum)}`,
]

export default defineCommand({
  name: 'websecuritydiagnostics',
  summary: 'Show cache and response times of URL look-ups',
  description:
    'Shows the number of URLs in the cache, how often the cache answered, and how long the intelligence service and the ' +
    'resolution of its name took, in seconds. None: nothing was measured since the start; the embedded service has no ' +
    'name to resolve.',
  category: 'diagnose',
  roles: EVERYONE,
  needsCommit: false,
  run: async (session) => {
    const { cacheSize, cacheHits, response, dns } = session.appliance.urlReputation.diagnostics()
    session.print(
      `Cache Size: ${cacheSize}`,
      `Cache Hits: ${cacheHits}`,
      ...times('Response Time', response),
      ...times('DNS Lookup Time', dns),
    )
  },
})
